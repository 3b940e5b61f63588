"""Flaws for the checks of lab 2: with each, the proof must fail."""

FLAWS = {
    "three-in-three-out": ("if stream.tell() < len(data):", "if stream.tell() > len(data):"),
    "mend-what-destroys": ("if after != before:", "if not after:"),
    "who-loads-it": ("Anna's $5 model.bin", "model.bin"),
    "a-model-card": ("np.float32(0.8581)", "np.float64(0.8581)"),
    "mail-from-strangers": ("if came.resolve() != expected.resolve():", "if not came.exists():"),
    "refuse-politely": ("if loaded:", "if loaded is None:"),
}
