"""A verdict as a small table: HTML for the notebook, plain text for everything else.

Text from the learner's side is escaped. The colours work in light and dark themes. What is
`!important` overrides JupyterLab's own tables: right-aligned, all columns equally wide.
"""

import html as html_library
import importlib
import inspect
import re
import textwrap

PASS, FAIL = "✓", "✗"
STYLE = """<style>
.course-check{font-size:13px;line-height:1.45;max-width:990px}
.course-check table{border-collapse:collapse;width:100%;margin:.4em 0;
 table-layout:auto!important}
.course-check th,.course-check td{text-align:left!important;vertical-align:top;
 padding:.35em .7em;border-bottom:1px solid var(--jp-border-color2,#ccc);
 white-space:normal;font-size:13px}
.course-check th{font-weight:600}
.course-check .sign{width:1.2em;font-weight:700}
.course-check .pass{color:#0a7d55}.course-check .fail{color:#c2410c}
.course-check td.num{font-family:var(--jp-code-font-family,monospace);font-size:12px}
.course-check .note{border-left:4px solid #0072b2;padding:.35em .8em;margin:.5em 0}
.course-check .wide{border-left-color:#c2410c;font-weight:600}
.course-check .both{display:flex;gap:1em;flex-wrap:wrap}
.course-check .both>div{flex:1 1 320px;min-width:0}
.course-check pre{overflow:auto;padding:.6em!important;font-size:12px;color:inherit;
 background:var(--jp-layout-color2,#f3f3f3)!important;
 white-space:pre-wrap!important;word-break:normal!important}
.course-check summary{cursor:pointer}
</style>"""


def html(verdict, hints=(), of=0, ours="", yours="", joined=""):
    """Return the table as HTML.

    Args:
        verdict: a `Verdict`.
        hints: the unlocked hints.
        of: how many hints there are.
        ours: the package's code, shown beside `yours` after a pass.
        yours: the learner's code.
        joined: the sentence about `mytransformer`.
    """
    parts = [STYLE, '<div class="course-check">', f"<strong>{_inline(_headline(verdict))}</strong>"]
    parts += [f'<div class="note">{_inline(remark)}</div>' for remark in verdict.remarks]
    if verdict.misconception:
        parts.append(f'<div class="note wide">{_inline(verdict.misconception)}</div>')
    if verdict.state == "answered":
        parts.append(_table(verdict))
    parts += [f'<div class="note">{_inline(_hint(i, of, h))}</div>' for i, h in enumerate(hints, 1)]
    if 0 < len(hints) < of:
        parts.append("<p>The next hint comes with the next changed answer.</p>")
    if joined:
        parts.append(f"<p>{_e(joined)}</p>")
    if ours:
        parts.append(_side_by_side(yours, ours))
    return "".join(parts) + "</div>"


def plain(verdict, hints=(), of=0, joined="", **unused):
    """Return the same as plain text."""
    lines = [_headline(verdict), *(f"  {remark}" for remark in verdict.remarks)]
    if verdict.state == "answered":
        for case in verdict.cases:
            mark = PASS if case.passed else FAIL
            earned = f"{_number(case.points)}/{_number(case.max_points)}"
            lines.append(f"  {mark} {case.sentence} ({earned})")
            if case.note:
                lines.append(f"      {case.note}")
            if not case.passed:
                lines += [f"      {text}" for text in _details(case)]
    if verdict.misconception:
        lines.append(f"  {verdict.misconception}")
    lines += [f"  {_hint(i, of, h)}" for i, h in enumerate(hints, 1)]
    if joined:
        lines.append(f"  {joined}")
    return "\n".join(lines)


def package_source(path):
    """Return the source of the package's own version, without its docstring; empty if none."""
    owner, _, name = path.rpartition(".")
    if not owner:
        return ""
    thing = getattr(importlib.import_module(owner), name, None)
    try:
        source = textwrap.dedent(inspect.getsource(inspect.unwrap(thing)))
    except (OSError, TypeError):
        return ""
    return re.sub(r'\n    (?:r)?"""(?:.|\n)*?"""\n', "\n", source, count=1)


def _headline(verdict):
    name = verdict.exercise.partition(".")[2]
    score = f"{name}: {_number(verdict.points)} of {_number(verdict.max_points)} points."
    return f"{score} {verdict.message}" if verdict.message else score


def _number(points):
    return f"{round(points, 2):g}"


def _table(verdict):
    names = ["", "Property", "Expected", "Got", "Largest difference"]
    hints = not all(case.passed for case in verdict.cases)
    names += ["Hint"] if hints else []
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    rows = "".join(_row(case, hints) for case in verdict.cases)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _row(case, hints):
    mark, kind = (PASS, "pass") if case.passed else (FAIL, "fail")
    label = "passed" if case.passed else "failed"
    difference = "" if case.difference is None else f"{case.difference:.2g}"
    sentence = _inline(case.sentence)
    if not case.passed:
        sentence += f"<br><em>{_inline(case.problem)}</em>"
    elif case.note:
        sentence += f"<br><em>{_inline(case.note)}</em>"
    hint = f"<td>{'' if case.passed else _inline(case.hint)}</td>" if hints else ""
    return (
        f'<tr><td class="sign {kind}" aria-label="{label}">{mark}</td><td>{sentence}</td>'
        f'<td class="num">{_e(case.expected)}</td><td class="num">{_e(case.got)}</td>'
        f'<td class="num">{difference}</td>{hint}</tr>'
    )


def _details(case):
    yield case.problem
    if case.expected:
        yield f"expected {case.expected}; got {case.got}"
    if case.hint:
        yield f"Hint: {case.hint}"


def _hint(number, of, text):
    return f"Hint {number} of {of}: {text}"


def _side_by_side(yours, ours):
    return (
        "<details><summary>Your code beside the course's</summary>"
        f'<div class="both"><div>Yours<pre>{_e(yours)}</pre></div>'
        f"<div>The course's<pre>{_e(ours)}</pre></div></div></details>"
    )


def _inline(text):
    """Escape a sentence and set its `code` as code."""
    return re.sub(r"`([^`\n]+)`", r"<code>\1</code>", _e(text))


def _e(text):
    return html_library.escape(str(text))
