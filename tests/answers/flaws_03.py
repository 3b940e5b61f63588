"""Lab 3: a flaw for each check (a case dropped, a comparison turned) that the proof must notice."""

FLAWS = {
    "3.1": (
        'expect("the body of GET /hello", response.text, "Hello, marketing!", "compare each letter")',
        'expect("it", response.text.lower(), "hello, marketing!", "compare each letter")',
    ),
    "3.2": ("for codes in ((200, 201, 202), (503, 200, 404), (200, 404, 200), (403, 500, 201)):",
            "for codes in ((200, 200, 200),):"),
    "3.3": ("for years in (3, 1, 10, 0):", "for years in (3,):"),
    "3.4": ('for method in ("GET", "PUT", "DELETE"):', 'for method in ("GET",):'),
    "3.5": ("if bystander.ended(0.1):\n            raise Wrong(\n                f\"{call} ended another",
            "if False:\n            raise Wrong(\n                f\"{call} ended another"),
    "3.6": ('("192.168.1.20", "GET", "/", "1.0", 404),', ""),
}  # fmt: skip
