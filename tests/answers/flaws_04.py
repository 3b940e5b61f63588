"""Lab 4: a flaw for each check (a case dropped, a tolerance loosened) that the proof must notice."""

FLAWS = {
    "what-to-do": ('(np.float32(0.25), 0.25, "exactly at",', '(np.float32(0.26), 0.25, "above",'),
    "make-it-json": ("if type(came) is not type(plain) or came != plain:", "if came != plain:"),
    "a-service-that-decides": ("if abs(came - number) > 1e-9:", "if abs(came - number) > 1e-2:"),
    "it-answers-anything": ("if why in seen:", "if seen.get(why) == number:"),
    "status-before-body": ("if not re.search(", "if False and not re.search("),
    "the-same-as-in-the-notebook": ("{3: 5e-10, 5: -5e-10},", ""),
}
