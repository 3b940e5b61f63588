"""Lab 4: a flaw for each check (a case dropped, a tolerance loosened) that the proof must notice."""

FLAWS = {
    "4.1": ('(np.float32(0.25), 0.25, "exactly at",', '(np.float32(0.26), 0.25, "above",'),
    "4.2": ("if type(came) is not type(plain) or came != plain:", "if came != plain:"),
    "4.3": ("if abs(came - number) > 1e-9:", "if abs(came - number) > 1e-2:"),
    "4.4": ("if why in seen:", "if seen.get(why) == number:"),
    "4.5": ("if not re.search(", "if False and not re.search("),
    "4.6": ("{3: 5e-10, 5: -5e-10},", ""),
}
