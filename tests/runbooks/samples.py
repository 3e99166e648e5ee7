"""Runbooks as engineers write them; more are read from the folder RUNBOOK_CORPUS if there is one."""

import os
from pathlib import Path

STEPS = "### Troubleshooting Steps\n\n"
SAMPLES = {
    "fence in a step": f"{STEPS}1. Look at the load:\n   ```sh\n   cd /srv/load && git pull\n   make load\n   ```\n2. Rerun.\n",
    "nesting by four spaces": f"{STEPS}- a\n    - b\n        - c\n- d\n",
    "nesting by two spaces": f"{STEPS}- a\n  - b\n    - c\n- d\n",
    "fence in a nested step": f"{STEPS}1. One:\n   - a\n\n     ```\n     x = 1\n\n\n     # no heading\n     ```\n2. Two.\n",
    "fence without indent": f"{STEPS}1. One:\n```\nx\n```\n2. Two.\n",
    "tildes and a longer fence": f"{STEPS}1. One:\n\n   ~~~~\n   ```\n   ~~~~\n",
    "indented code": f"{STEPS}1. One:\n\n       x = 1\n\nText:\n\n    y = 2\n",
    "task list": f"{STEPS}- [ ] a\n- [x] b\n",
    "table and quote": f"{STEPS}> **Note**\n> - a\n\n| a | b |\n|---|---|\n| `x|y` | 1 |\n\n1. b\n",
    "setext headings": "Purpose\n-------\n\nText.\n\nSteps\n-----\n\n1. a\n",
}
FOLDER = Path(os.environ.get("RUNBOOK_CORPUS", "/work/shared/runbook-corpus"))
SAMPLES |= {path.stem: path.read_text() for path in sorted(FOLDER.glob("*.md")) if path.stem != "README"}
