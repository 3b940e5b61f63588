"""A service with one route, which greets the marketing team."""

from flask import Flask

app = Flask("hello")


@app.route("/hello", methods=["GET"])
def hello():
    # [solution] return ____
    return "Hello, marketing!"
    # [end]


if __name__ == "__main__":
    # [solution] run = ____
    app.run(debug=True, host="127.0.0.1", port=9696)
    # [end]
