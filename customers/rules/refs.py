"""What an outside key may look like."""

import unicodedata

MAX_REF_CHARS = 128
RESERVED_REFS = frozenset({".", "..", "bulk"})  # they would not survive, or mean something else, in a URL


def is_ref(text: str, *, max_chars: int = MAX_REF_CHARS) -> bool:
    """Whether the text can be an outside key: fit for a URL's segment, a log and an index."""
    if not 1 <= len(text) <= max_chars or text != text.strip() or text in RESERVED_REFS:
        return False
    return not any(c == "/" or unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text)
