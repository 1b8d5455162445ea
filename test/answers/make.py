"""make.py FOLDER NAMES: writes the models named with commas, `small` for those that need no download, nothing for all.

Prints a line of JSON for each, with why it could not be had.
"""

import json
import pathlib
import sys

from classifiers import CLASSIFIERS
from garments import GARMENTS
from regressors import REGRESSORS
from sentences import SENTENCES_MODELS

SMALL = {**CLASSIFIERS, **REGRESSORS}
MAKERS = {**SMALL, **GARMENTS, **SENTENCES_MODELS}


def main():
    root = pathlib.Path(sys.argv[1])
    asked = [name for name in sys.argv[2].split(",") if name]
    names = list(SMALL) if asked == ["small"] else asked or list(MAKERS)
    for name in names:
        if name not in MAKERS:
            raise SystemExit(f"expected some of {', '.join(MAKERS)}, found {name}")
        why = None
        try:
            # Written last, and so whole.
            if not (root / name / "manifest.json").exists():
                MAKERS[name](root)
        except Exception as error:  # what a registry, an archive or a converter throws is the reason
            why = f"{type(error).__name__}: {error}"
        print(json.dumps({"model": name, "why": why}), flush=True)


if __name__ == "__main__":
    main()
