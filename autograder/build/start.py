"""Build `labs/start.md`: the text of `course/start.md` with links to what exists."""

import re
from pathlib import Path

import yaml

from course.modules import MODULES
from course.notebooks import lab_order

ROOT = Path(__file__).resolve().parents[2]
NO_BREAK = "\u00a0"


def build(root=ROOT):
    """Return `{"start.md": text}`.

    Args:
        root: the folder that holds `course/` and `solutions/`.
    """
    text = (root / "course" / "start.md").read_text(encoding="utf-8")
    parts = {"begin": _begin(root), "modules": _modules(root)}
    return {"start.md": re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], text)}


def _begin(root):
    """Return the line that says where to begin: at the first module that exists."""
    for module in MODULES:
        reading, labs, _ = _found(root, module.slug)
        if reading and labs:
            (number, title), path = labs[0]
            return (
                f"**Begin here:** [the reading of module {module.number}]({reading}), "
                f"then [lab {number}: {title}]({path})."
            )
    return ""


def _modules(root):
    """Return the table of the nine modules."""
    lines = ["| Module | What it is about | Open |", "|:---|:---|:---|"]
    for module in MODULES:
        name = f"**m{module.number:02d} {module.title}**"
        lines.append(f"| {name} | {module.line} | {_links(root, module.slug)} |")
    return "\n".join(lines)


def _links(root, slug):
    reading, labs, quiz = _found(root, slug)
    links = [f"[reading]({reading})"] if reading else []
    links += [f"[lab {number}: {title}]({path})" for (number, title), path in labs]
    links += [f"[quiz]({quiz})"] if quiz else []
    return "<br>".join(links).replace(" ", NO_BREAK) or "in preparation"


def _found(root, slug):
    """Return the links to a module's reading, labs and quiz, where their sources exist."""
    sources = root / "solutions" / slug
    reading = (root / "course" / slug / "reading.md").is_file() and f"{slug}/reading.md"
    labs = [
        (_number_and_title(path), f"{slug}/{path.stem}.ipynb")
        for path in sorted(sources.glob("lab*.py"), key=lambda path: lab_order(path.stem))
        if not path.stem.endswith("_alternatives")
    ]
    quiz = (sources / "quiz.yaml").is_file() and f"{slug}/quiz.ipynb"
    return reading, labs, quiz


def _number_and_title(path):
    """Return a lab's number and the title in its front matter."""
    front = path.read_text(encoding="utf-8").split("# ---", 2)[1]
    title = yaml.safe_load("\n".join(line.lstrip("#").strip() for line in front.splitlines()))
    return re.match(r"lab(\d+)", path.stem)[1], title["title"]
