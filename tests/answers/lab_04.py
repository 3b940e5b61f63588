"""Lab 4: right answers in another style, and wrong ones with what each must be told."""

from proof import Instead

ANSWERS = {
    "what-to-do": {
        "right": [
            """
def answer(probability, threshold):
    result = {"decision": "nothing", "churn_probability": probability.item() if hasattr(probability, "item") else probability}
    if not probability < threshold:
        result["decision"] = "e-mail"
    return result
""",
            """
def answer(probability, threshold):
    return dict(
        churn_probability=float(probability),
        decision=["nothing", "e-mail"][int(probability >= threshold)],
    )
""",
            Instead("float(probability)", "probability.item()"),
            Instead("float(probability)", "probability.tolist()"),
        ],
        "wrong": [
            (Instead("float(probability)", "probability"), "is NumPy's float64 still"),
            (Instead("float(probability)", "round(float(probability), 3)"), "neither rounded"),
            (Instead("float(probability)", "float(probability) * 100"), "nor in percent|neither"),
            (Instead("float(probability)", "str(probability)"), "it should be a float"),
            (Instead(">= threshold", "> threshold"), "the e-mail goes out: >= and not >"),
            (Instead(">= threshold", "< threshold"), "the probability is above the threshold"),
            (Instead(">= threshold", ">= 0.5"), "compare with the threshold that is given"),
            (Instead(">= threshold", ">= 0.18"), "compare with the threshold that is given"),
            (
                Instead("probability >= threshold", "round(probability, 2) >= threshold"),
                "compare the probability as it is, not rounded",
            ),
            (Instead('"e-mail" if', '"email" if'), "letter by letter"),
            (
                'def answer(probability, threshold):\n    return {"churn_probability": float(probability), "decision": np.where(probability >= threshold, "e-mail", "nothing")}',
                "np.where makes one; with if and else you get a text",
            ),
            (
                'def answer(probability, threshold):\n    return {"churn_probability": float(probability), "decision": probability >= threshold}',
                'should be "e-mail" or "nothing", and is True',
            ),
            (Instead('"decision": decision', '"churn": decision'), "has the keys"),
            (
                Instead("return {", "return json.dumps({", "decision}", "decision})"),
                "return the dictionary itself",
            ),
            (
                """
def answer(probability, threshold):
    from flask import jsonify

    return jsonify(churn_probability=float(probability), decision="e-mail")
""",
                "works inside a running service only",
            ),
            ("def answer(probability, threshold):\n    print(probability)", "returned None"),
            (
                'def answer(probability, threshold):\n    return float(probability), "e-mail"',
                "should be of type dict, and is (0.7134561, 'e-mail')",
            ),
        ],
    },
    "make-it-json": {
        "right": [
            """
def as_json(answer):
    def plain(value):
        if isinstance(value, dict):
            return {name: plain(one) for name, one in value.items()}
        if isinstance(value, list):
            return [plain(one) for one in value]
        if isinstance(value, np.bool_):
            return bool(value)
        if isinstance(value, np.integer):
            return int(value)
        return float(value) if isinstance(value, np.floating) else value

    return json.dumps(plain(answer), ensure_ascii=False)
""",
            Instead("answer, default", "answer, sort_keys=True, default"),
            """
class Plain(json.JSONEncoder):
    def default(self, value):
        return value.tolist()


def as_json(answer):
    return json.dumps(answer, cls=Plain, indent=2)
""",
            """
def as_json(answer):
    from flask import Flask

    app = Flask("json")
    app.json.default = lambda value: value.item()
    return app.json.dumps(answer)
""",
        ],
        "wrong": [
            ("def as_json(answer):\n    return str(answer)", "that is a printed Python dictionary"),
            (
                "def as_json(answer):\n    return str(answer).replace(\"'\", '\"')",
                "Let json.dumps write it",
            ),
            (
                "def as_json(answer):\n    return json.dumps(answer)",
                "json.dumps does not know NumPy's types",
            ),
            (Instead("lambda value: value.item()", "str"), "default=str does so with every value"),
            (
                """
def as_json(answer):
    def plain(value):
        value.item()

    return json.dumps(answer, default=plain)
""",
                "has your function for NumPy's values a return?",
            ),
            (Instead("lambda value: value.item()", "float"), "true and false are no numbers"),
            (Instead("lambda value: value.item()", "int"), "true and false are no numbers"),
            (Instead("lambda value: value.item()", "bool"), "bool is for what is true or false"),
            (
                Instead(
                    "value.item())",
                    "bool(value) if isinstance(value, np.bool_) else float(value))",
                ),
                "a whole number should stay one",
            ),
            (
                Instead(
                    "value.item())", "bool(value) if isinstance(value, np.bool_) else int(value))"
                ),
                "and no int(...)",
            ),
            (
                """
def as_json(answer):
    plain = {}
    for name, value in answer.items():
        plain[name] = value.item() if isinstance(value, np.generic) else value
    return json.dumps(plain)
""",
                "wherever they stand",
            ),
            (
                """
def as_json(answer):
    for name, value in answer.items():
        if isinstance(value, np.generic):
            answer[name] = value.item()
    return json.dumps(answer)
""",
                "changes the dictionary that it is given",
            ),
            (
                """
def as_json(answer):
    rounded = {
        name: round(float(value), 4) if isinstance(value, np.floating) else value
        for name, value in answer.items()
    }
    return json.dumps(rounded, default=lambda value: value.item())
""",
                "with all its digits",
            ),
            (
                """
def as_json(answer):
    there = {name: value for name, value in answer.items() if value is not None}
    return json.dumps(there, default=lambda value: value.item())
""",
                "none may be left out",
            ),
            (
                Instead("return json.dumps(", "return json.dumps(json.dumps(", "())", "()))"),
                "call json.dumps once",
            ),
            (
                Instead("())", "()).encode('ascii', 'ignore').decode().replace('\\\\u00fc', 'ue')"),
                "texts stay as they are",
            ),
            (
                """
def as_json(answer):
    from flask import jsonify

    return jsonify(answer)
""",
                "works inside a running service only",
            ),
            (Instead("json.dumps(answer,", "json.dumps([answer],"), "and no dictionary"),
            ("def as_json(answer):\n    return answer", "should be of type str"),
            ("def as_json(answer):\n    print(json.dumps(answer, default=str))", "returned None"),
            (
                """
def as_json(answer):
    def plain(value):
        return str(value) if isinstance(value, list) else value

    plain_answer = {name: plain(value) for name, value in answer.items()}
    return json.dumps(plain_answer, default=lambda value: value.item())
""",
                "at any depth",
            ),
        ],
    },
    "a-service-that-decides": {
        "right": [
            Instead(
                "[customer]", "customer", "jsonify(churn_probability", "dict(churn_probability"
            ),
            Instead(
                "request.get_json()",
                '__import__("json").loads(request.data)',
                "float(model.predict_proba(X)[0, 1])",
                "model.predict_proba(X).tolist()[0][-1]",
            ),
            Instead('@app.route("/predict", methods=["POST"])', '@app.post("/predict")'),
            Instead("debug=True, ", ""),
        ],
        "wrong": [
            (Instead('port=int(os.environ.get("PORT", 9696))', "port=9000"), "nothing answers"),
            (Instead('host="127.0.0.1"', 'host="0.0.0.0"'), "everybody in your network"),
            (Instead("    decision =", "decision ="), "is not Python yet"),
            (
                Instead(
                    "jsonify(churn_probability=probability, decision=decision)",
                    'f"<h1>{probability}: {decision}</h1>"',
                ),
                "is with a web page or plain text",
            ),
            (
                Instead(
                    "jsonify(churn_probability=probability, decision=decision)",
                    'str({"churn_probability": probability, "decision": decision})',
                ),
                "return jsonify(...)",
            ),
            (Instead('"/predict"', '"/decide"'), "knows no such path"),
            (Instead(', methods=["POST"]', ""), "allows GET, HEAD, OPTIONS only|allows"),
            (Instead("request.get_json()", "request.form.to_dict()"), "read the body with request"),
            (
                Instead("request.get_json()", 'request.form["customer"]', "debug=True, ", ""),
                "should be answered with 200, and is with 400: the body is a customer as JSON, not a form",
            ),
            (Instead("request.get_json()", 'request.form["customer"]'), "BadRequestKeyError"),
            (Instead('@app.route("/predict", methods=["POST"])\n', ""), "knows no such path"),
            (
                Instead("[customer]", "[[customer]]"),
                "AttributeError: 'list' object has no attribute",
            ),
            (Instead('"/predict"', '"/predict/"'), "leave it out"),
            (
                Instead("request.get_json()", "request.json()"),
                "TypeError: 'dict' object is not callable",
            ),
            (Instead("request.get_json()", "request.get_json"), "your code failed there"),
            (
                Instead(
                    "jsonify(churn_probability=probability, decision=decision)",
                    "jsonify(churn_probability=probability, decision=model.predict(X)[0] > 0)",
                ),
                "Object of type bool is not JSON serializable|Object of type bool_ is not",
            ),
            (Instead("decision=decision)", "churn=probability >= 0.5)"), "decision missing"),
            (
                Instead("decision=decision)", "decision=decision, status=200)"),
                "status not asked for",
            ),
            (
                Instead("churn_probability=probability", "churn_probability=str(probability)"),
                "as number",
            ),
            (Instead("decision=decision", "decision=probability >= 0.18"), "as text"),
            (Instead("[0, 1]", "[0, 0]"), "how likely she *stays*"),
            (Instead("model.predict_proba(X)[0, 1]", "model.predict(X)[0]"), "that is a verdict"),
            (
                Instead("churn_probability=probability", "churn_probability=round(probability, 3)"),
                "is rounded",
            ),
            (
                Instead("churn_probability=probability", "churn_probability=probability * 100"),
                "in percent",
            ),
            (
                Instead(
                    "request.get_json()",
                    '{"contract": "one_year", "tenure": 41, "internetservice": "dsl"}',
                ),
                "the same for four different customers",
            ),
            (
                Instead(
                    "probability = float(model.predict_proba(X)[0, 1])",
                    "probability = 0.0618756855983274",
                ),
                "the same for four different customers",
            ),
            (
                Instead("X = dv", 'customer.pop("tenure")\n    X = dv'),
                "score the customer of the request as she is",
            ),
            (
                Instead(
                    "float(model.predict_proba(X)[0, 1])",
                    "model.predict_proba(X)[0, 1]",
                    "churn_probability=probability",
                    "churn_probability=float(probability.astype('float32'))",
                ),
                "is rounded",
            ),
            (Instead(">= THRESHOLD", ">= 0.5"), "perhaps 0.5"),
            (Instead(">= THRESHOLD", ">= 0.2"), "your threshold is a higher one"),
            (Instead(">= THRESHOLD", ">= 0.17"), "at or above it the e-mail goes"),
            (Instead(">= THRESHOLD", "< THRESHOLD"), "compare the probability, unrounded"),
            (
                Instead("if probability >=", "if round(probability, 1) >="),
                "compare the probability, unrounded",
            ),
            (Instead('else "nothing"', 'else "no e-mail"'), "letter by letter"),
            (Instead("return jsonify", "jsonify"), "your code failed there"),
        ],
    },
    "it-answers-anything": {
        "right": [
            'bodies = [{}, customer | {"loyalty": "gold"}, customer | {"seniorcitizen": 2}]',
            """
bodies = (
    customer | {"contract": None},
    customer | {"contract": "Two year"},
    {**customer, "tenure": -500, "seniorcitizen": 7},
)
""",
            """
without = dict(customer)
del without["monthlycharges"]
bodies = [without, customer | {"seniorcitizen": False}, customer | {"gender": ""}]
""",
            'bodies = [customer | {"phoneservice": "no"}, {}, customer | {"tenure": -1}]',
        ],
        "wrong": [
            (
                'bodies = [customer, {}, customer | {"tenure": "41"}]',
                "our customer as she is, is a fine customer",
            ),
            (
                'bodies = [{}, customer | {"tenure": "41"}, customer | {"monthlycharges": 80}]',
                "is a fine customer",
            ),
            (
                """
without = dict(customer)
del without["customerid"]
bodies = [without, customer | {"tenure": "41"}, customer | {"contract": "weekly"}]
""",
                "and customerid may be missing",
            ),
            (
                'bodies = [{}, customer | {"tenure": "41"}, customer | {"tenure": 1000}]',
                "is a fine customer, as far as one can tell from here",
            ),
            (
                'bodies = [{}, customer | {"tenure": "41"}, [customer]]',
                "is answered with 500 (AttributeError",
            ),
            ('bodies = [None, {}, customer | {"tenure": "41"}]', "there it breaks openly"),
            (
                'bodies = [customer | {"tenure": None}, {}, customer | {"tenure": "41"}]',
                "there it breaks openly",
            ),
            (
                'bodies = [{}, {"contract": "one_year"}, customer | {"tenure": "41"}]',
                "wrong in 1 way|in the same way as body 1 (a field is missing)",
            ),
            (
                'bodies = [customer | {"tenure": "41"}, customer | {"tenure": True}, {}]',
                "our customer with {'tenure': True}, is wrong in the same way as body 1 (a value has the wrong type)",
            ),
            (
                'bodies = [customer | {"internetservice": "no"}, customer | {"phoneservice": "no"}, {}]',
                "in the same way as body 1 (one field contradicts another)",
            ),
            (
                'bodies = [customer | {"tenure": -1}, {}, customer | {"monthlycharges": -5}]',
                "in the same way as body 1 (a number is out of range)",
            ),
            (
                'bodies = [{}, {"tenure": "41"}, customer | {"contract": "x"}]',
                "change one thing only",
            ),
            (
                'bodies = [{}, customer | {"tenure": "41"}, "{}"]',
                "is a text: give the value itself",
            ),
            (
                'bodies = [{}, customer | {"tenure": "41"}, customer | {"monthlycharges": float("nan")}]',
                "can't be sent as JSON at all",
            ),
            (
                'bodies = [{}, customer | {"tenure": "41"}, customer | {"tenure": np.int64(-5)}]',
                "can't be sent as JSON at all",
            ),
            ('bodies = [{}, customer | {"tenure": "41"}]', "should have three elements"),
            ("bodies = customer", "should be of type list or tuple"),
        ],
    },
    "status-before-body": {
        "right": [
            """
def ask(url, customer, timeout):
    response = requests.post(url + "/predict", json=customer, timeout=timeout)
    try:
        if response.status_code != 200:
            raise ValueError
        return response.json()["churn_probability"]
    except ValueError:
        raise RuntimeError(f"{response} said: {response.text[:100]!r}") from None
""",
            """
def ask(url, customer, timeout):
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    body, headers = json.dumps(customer).encode(), {"Content-Type": "application/json"}
    try:
        answer = urlopen(Request(url + "/predict", body, headers), timeout=timeout)
    except HTTPError as error:
        answer = error
    with answer:
        text = answer.read().decode()
    if answer.status == 200 and text.startswith("{"):
        return json.loads(text)["churn_probability"]
    raise RuntimeError(str(answer.status) + " " + text[:100])
""",
            """
def ask(url, customer, timeout):
    with requests.Session() as session:
        session.headers["Content-Type"] = "application/json"
        response = session.post(f"{url}/predict", data=json.dumps(customer), timeout=timeout)
    match response.status_code, response.headers["Content-Type"]:
        case 200, "application/json":
            return float(response.json()["churn_probability"])
        case status, _:
            raise RuntimeError(f"{status}: {response.text[:100]}")
""",
        ],
        "wrong": [
            (
                """
def ask(url, customer, timeout):
    response = requests.post(f"{url}/predict", json=customer, timeout=timeout)
    return response.json()["churn_probability"]
""",
                "look at the status and the Content-Type before you call response.json()",
            ),
            (
                """
def ask(url, customer, timeout):
    response = requests.post(f"{url}/predict", json=customer, timeout=timeout)
    response.raise_for_status()
    return response.json()["churn_probability"]
""",
                "raise_for_status tells nothing of the body",
            ),
            (Instead("response.status_code != 200", "not response.ok"), "look for the probability"),
            (
                Instead(
                    "response.status_code != 200",
                    "not response.ok",
                    'response.json()["churn_probability"]',
                    'response.json().get("churn_probability")',
                ),
                "raise_for_status is silent below 400",
            ),
            (
                Instead(' or not kind.startswith("application/json")', ""),
                "for an answer with 200 and a web page, ask should raise a RuntimeError, and raises JSON",
            ),
            (Instead("requests.post", "requests.get"), "/predict takes POST"),
            (Instead("json=customer", "data=customer"), "write json=customer, not data="),
            (Instead("json=customer", "data=json.dumps(customer)"), "not data="),
            (Instead("json=customer", "params=customer"), "puts the customer into the address"),
            (Instead("json=customer", "json=json.dumps(customer)"), "makes JSON twice"),
            (Instead("json=customer", "json=[customer]"), "takes one customer"),
            (Instead("json=customer", 'json={"customer": customer}'), "the customer as she is"),
            (Instead("{url}/predict", "{url}"), "asks /, and the path is /predict"),
            (
                Instead("{url}/predict", "http://127.0.0.1:1/predict"),
                "nothing was asked at the url",
            ),
            (Instead("timeout=timeout", "timeout=5"), "takes 0.4 s, though its timeout is 0.05"),
            (Instead(", timeout=timeout", ""), "takes 0.4 s, though its timeout is 0.05"),
            (
                """
def ask(url, customer, timeout):
    try:
        response = requests.post(f"{url}/predict", json=customer, timeout=timeout)
        response.raise_for_status()
        return response.json()["churn_probability"]
    except Exception:
        return None
""",
                "for an answer with 500 and a web page, ask raises no error",
            ),
            (
                """
def ask(url, customer, timeout):
    try:
        response = requests.post(f"{url}/predict", json=customer, timeout=timeout)
    except requests.Timeout:
        return 0
    kind = response.headers.get("Content-Type", "")
    if response.status_code != 200 or not kind.startswith("application/json"):
        raise RuntimeError(f"{response.status_code}: {response.text[:100]}")
    return response.json()["churn_probability"]
""",
                "when nobody answers in time, ask raises no error",
            ),
            (
                """
def ask(url, customer, timeout):
    try:
        response = requests.post(f"{url}/predict", json=customer, timeout=timeout)
    except requests.Timeout:
        raise RuntimeError(f"no answer within {timeout} s") from None
    kind = response.headers.get("Content-Type", "")
    if response.status_code != 200 or not kind.startswith("application/json"):
        raise RuntimeError(f"{response.status_code}: {response.text[:100]}")
    return response.json()["churn_probability"]
""",
                "let the error of requests pass",
            ),
            (
                """
def ask(url, customer, timeout):
    try:
        response = requests.post(f"{url}/predict", json=customer, timeout=timeout)
        if response.status_code != 200:
            raise ValueError
        return response.json()["churn_probability"]
    except Exception:
        raise RuntimeError(f"{response.status_code}: {response.text[:100]}") from None
""",
                "raises UnboundLocalError",
            ),
            (
                Instead(
                    'return response.json()["churn_probability"]',
                    'return str(response.json()["churn_probability"])',
                ),
                "that is a text",
            ),
            (Instead("[:100]", "[:50]"), "it should have the first 100 characters of the body"),
            (Instead("[:100]", "[:200]"), "more than the first 100 characters"),
            (
                Instead("raise RuntimeError(", "print("),
                "ask should raise a RuntimeError, and raises JSONDecodeError",
            ),
            (
                Instead("raise RuntimeError(", "raise ValueError("),
                "raise RuntimeError(...) yourself",
            ),
            (Instead("{response.status_code}: ", ""), "it should have the status"),
            (
                Instead("{response.text[:100]}", "{response.reason}"),
                "it should have the first 100 characters of the body",
            ),
            (Instead("response.text[:100]", "response.text"), "more than the first 100 characters"),
            (Instead('.json()["churn_probability"]', ".text"), "that is a text"),
            (Instead('.json()["churn_probability"]', ".json()"), "that is the whole answer"),
            (
                Instead('return response.json()["churn_probability"]', "return response"),
                "the whole response",
            ),
            (
                Instead('return response.json()["churn', 'response.json()["churn'),
                "end every way through it with return",
            ),
            (Instead('["churn_probability"]', '["probability"]'), "raised KeyError: 'probability'"),
            (
                Instead('return response.json()["churn_probability"]', "return 1 / 42"),
                "return the number that is in the answer",
            ),
            (
                Instead(
                    "    kind =",
                    '    requests.post(f"{url}/predict", json=customer, timeout=timeout)\n    kind =',
                ),
                "sent 2 requests for 1 customer(s)",
            ),
            ("def ask(url, customer):\n    return 0.5", "raised TypeError"),
        ],
    },
    "the-same-as-in-the-notebook": {
        "right": [
            """
def differing(url, customers, dv, model):
    def service(customer):
        return requests.post(url + "/predict", json=customer, timeout=5).json()["churn_probability"]

    def own(customer):
        return model.predict_proba(dv.transform([customer]))[0, 1]

    return [i for i, c in enumerate(customers) if abs(service(c) - own(c)) > 1e-9]
""",
            """
def differing(url, customers, dv, model):
    said = []
    with requests.Session() as session:
        for customer in customers:
            response = session.post(url + "/predict", json=customer, timeout=5)
            assert response.status_code == 200, response.text
            said.append(response.json()["churn_probability"])
    own = model.predict_proba(dv.transform(customers))[:, 1]
    return np.flatnonzero(np.abs(np.array(said) - own) > 1e-9)
""",
        ],
        "wrong": [
            (
                Instead(
                    'abs(response.json()["churn_probability"] - expected[index]) > 1e-9',
                    'response.json()["churn_probability"] != expected[index]',
                ),
                "too small to count",
            ),
            (
                Instead(
                    'abs(response.json()["churn_probability"] - expected[index]) > 1e-9',
                    'response.json()["churn_probability"] - expected[index] > 1e-9',
                ),
                "take abs(...) of the difference",
            ),
            (
                Instead(
                    'abs(response.json()["churn_probability"] - expected[index]) > 1e-9',
                    'round(response.json()["churn_probability"], 2) != round(expected[index], 2)',
                ),
                "neither rounded nor made a decision",
            ),
            (
                Instead(
                    'abs(response.json()["churn_probability"] - expected[index]) > 1e-9',
                    'response.json()["churn"] != (expected[index] >= 0.5)',
                ),
                "neither rounded nor made a decision",
            ),
            (Instead("> 1e-9", "> 1e-8"), "and no other tolerance"),
            (Instead("> 1e-9", "> 1e-12"), "too small to count"),
            (Instead("append(index)", "append(index + 1)"), "the first customer has the index 0"),
            (Instead("dv.transform(", "dv.fit_transform("), "X has 4 features"),
            (Instead("> 1e-9", "> 0.01"), "neither rounded nor made a decision"),
            (
                Instead(
                    'abs(response.json()["churn_probability"] - expected[index]) > 1e-9',
                    'not np.isclose(response.json()["churn_probability"], expected[index])',
                ),
                "at 5 the service says",
            ),
            (Instead("return found", "return len(found)"), "that is a single number"),
            (
                Instead("append(index)", "append(customer)"),
                "the elements should be the customers' indexes",
            ),
            (Instead("append(index)", "append(customers.index(customer))"), "use enumerate"),
            (
                Instead(
                    "        if abs",
                    "        found.append(abs",
                    "> 1e-9:\n            found.append(index)",
                    "> 1e-9)",
                ),
                "not true or false for each",
            ),
            (Instead("[:, 1]", "[:, 0]"), "not all of them differ"),
            (
                Instead(
                    "model.predict_proba(dv.transform(customers))[:, 1]",
                    "model.predict(dv.transform(customers))",
                ),
                "not all of them differ",
            ),
            (Instead("json=customer,", "json=customers,"), "sends a list"),
            (Instead("json=customer,", "data=customer,"), "write json=customer, not data="),
            (Instead("json=customer,", "json=json.dumps(customer),"), "makes JSON twice"),
            (Instead("requests.post", "requests.get"), "/predict takes POST"),
            (Instead("{url}/predict", "{url}/predict/batch"), "the path is /predict"),
            (Instead("{url}/predict", "http://127.0.0.1:1/predict"), "nothing was asked"),
            (Instead("return found", "return found[::-1]"), "in the customers' order"),
            (Instead("    return found", ""), "end it with return"),
            (
                Instead("            found.append(index)", "            return [index]"),
                "at 5 the service says",
            ),
            ("def differing(url, customers, dv, model):\n    return [2]", "nothing was asked"),
            (Instead("return found", "return np.where(found)"), "the elements should be"),
            (Instead("append(index)", "append([index, expected[index]])"), "whole numbers"),
            (Instead('["churn_probability"]', '["probability"]'), "raised KeyError"),
        ],
    },
}
