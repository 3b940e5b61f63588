"""Flaws for the checks of lab 2: with each, the proof must fail."""

FLAWS = {
    "2.1": ("if stream.tell() < len(data):", "if stream.tell() > len(data):"),
    "2.2": ("if after != before:", "if not after:"),
    "2.3": ("Anna's $5 model.bin", "model.bin"),
    "2.4": ("np.float32(0.8581)", "np.float64(0.8581)"),
    "2.5": ("if came.resolve() != expected.resolve():", "if not came.exists():"),
    "2.6": ("if loaded:", "if loaded is None:"),
}
