"""Lab 1: a flaw for each check (a case dropped, a tolerance loosened) that the proof must notice."""

FLAWS = {
    "1.1": ("if not result.index.equals(column.index):", "if len(result) != len(column):"),
    "1.2": ('"since": "dates",', ""),
    "1.3": ('for text in ("n/a", "12,50"):', "for text in ():"),
    "1.4": ("if not all(a.equals(b) for a, b in", "if any(len(a) != len(b) for a, b in"),
    "1.5": ("if abs(auc - 0.75) > 1e-9:", "if abs(auc - 0.75) > 1e-3:"),
    "1.6": ("([True, False, False, True, False], [0.3, 0.3, 0.1, 0.7, 0.6]),", ""),
    "1.7": ("if type(came) is not float:", "if not isinstance(came, float):"),
    "1.8": ("if came_cost > costs.min() + 1e-6:", "if came_cost > 2 * costs.min():"),
    "1.9": ("expect(what, came, np.exp(weight * change), remedy, tolerance=1e-9)",
            "expect(what, came, np.exp(weight * change), remedy, tolerance=1)"),
}  # fmt: skip
