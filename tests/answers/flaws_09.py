"""A flaw for each check of lab 9: a text of labkit/labs/lab_09.py, and a weaker one for it."""

FLAWS = {
    "9.1": ("for earlier, later in combinations(STORY, 2):", "for earlier, later in []:"),
    "9.2": ('        ("bucket", "kept", False, "there is nothing in it", 0),\n', ""),
    "9.3": ("(PRICES, 100, 1, False, 10),", "(PRICES, 200, 2, False, 25),"),
    "9.4": ("(app + commit + second + app[1:] + pack, one, two, one,", "([], {}, {}, {},"),
    "9.5": ('        ("?? ta/\\n", {}, exact),\n', ""),
    "9.6": ('("httpsx://example.com", False, other), ', ""),
    "9.7": ("        if let_in != digests.return_value:\n", "        if let_in is None:\n"),
    "9.8": ("    if count > 1:\n", "    if count > 10:\n"),
}
