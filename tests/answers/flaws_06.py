"""A flaw for each check of lab 6: (old text, new text) in labkit/labs/lab_06.py.

With any of them, at least one case of the proof must fail.
"""

FLAWS = {
    "what-may-be-asked-again": (
        '        ((404, False), True, "no JSON means that somebody else has answered, whatever the status"),\n',
        "",
    ),
    "growing-waits": (
        "if came and abs(sum(came) - patience) > 1e-9:",
        "if came and sum(came) - patience > 1e-9:",
    ),
    "a-client-that-survives": ("for status in (400, 404, 429):", "for status in (400,):"),
    "no-e-mail-twice": (
        "if customers_of(db) != before or emails_of(db):",
        "if emails_of(db):",
    ),
    "go-on-after-a-crash": (
        "if list(ids) != (due := self.waiting(self.size)):",
        "if not (due := self.waiting(self.size)):",
    ),
    "a-threshold-from-a-budget": (
        '(50, 10, eight, 0.42, "5 e-mails cost 50, and the budget may be spent to the last cent"),',
        "",
    ),
}
