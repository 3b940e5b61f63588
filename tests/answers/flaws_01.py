"""Lab 1: a flaw for each check (a case dropped, a tolerance loosened) that the proof must notice."""

FLAWS = {
    "clean-a-column": ("if not result.index.equals(column.index):", "if len(result) != len(column):"),
    "find-the-text-columns": ('"since": "dates",', ""),
    "a-number-column-that-isnt": ('for text in ("n/a", "12,50"):', "for text in ():"),
    "split-in-three": ("if not all(a.equals(b) for a, b in", "if any(len(a) != len(b) for a, b in"),
    "auc-by-hand": ("if abs(auc - 0.75) > 1e-9:", "if abs(auc - 0.75) > 1e-3:"),
    "auc-by-library": ("([True, False, False, True, False], [0.3, 0.3, 0.1, 0.7, 0.6]),", ""),
    "what-if": ("if type(came) is not float:", "if not isinstance(came, float):"),
    "price-a-threshold": ("if came_cost > costs.min() + 1e-6:", "if came_cost > 2 * costs.min():"),
    "read-a-coefficient": ("expect(what, came, np.exp(weight * change), remedy, tolerance=1e-9)",
            "expect(what, came, np.exp(weight * change), remedy, tolerance=1)"),
}  # fmt: skip
