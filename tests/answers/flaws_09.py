"""A flaw for each check of lab 9: a text of labkit/labs/lab_09.py, and a weaker one for it."""

FLAWS = {
    "a-day-in-the-cloud": (
        "for earlier, later in combinations(STORY, 2):",
        "for earlier, later in []:",
    ),
    "what-still-costs": ('        ("bucket", "kept", False, "there is nothing in it", 0),\n', ""),
    "how-long-the-credit-lasts": ("(PRICES, 100, 1, False, 10),", "(PRICES, 200, 2, False, 25),"),
    "what-goes-up": ("(app + commit + second + app[1:] + pack, one, two, one,", "([], {}, {}, {},"),
    "preflight": ('        ("?? ta/\\n", {}, exact),\n', ""),
    "where-the-key-may-go": ('("httpsx://example.com", False, other), ', ""),
    "a-service-that-wants-its-key": (
        "        if let_in != digests.return_value:\n",
        "        if let_in is None:\n",
    ),
    "a-client-that-sends-it": ("    if count > 1:\n", "    if count > 10:\n"),
}
