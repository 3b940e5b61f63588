"""Lab 3: a flaw for each check (a case dropped, a comparison turned) that the proof must notice."""

FLAWS = {
    "write-a-service": (
        'expect("the body of GET /hello", response.text, "Hello, marketing!", "compare each letter")',
        'expect("it", response.text.lower(), "hello, marketing!", "compare each letter")',
    ),
    "call-it-three-ways": ("for codes in ((200, 201, 202), (503, 200, 404), (200, 404, 200), (403, 500, 201)):",
            "for codes in ((200, 200, 200),):"),
    "a-route-with-a-parameter": ("for years in (3, 1, 10, 0):", "for years in (3,):"),
    "the-right-status": ('for method in ("GET", "PUT", "DELETE"):', 'for method in ("GET",):'),
    "free-a-busy-port": ("if bystander.ended(0.1):\n            raise Wrong(\n                f\"{call} ended another",
            "if False:\n            raise Wrong(\n                f\"{call} ended another"),
    "read-a-log": ('("192.168.1.20", "GET", "/", "1.0", 404),', ""),
}  # fmt: skip
