"""Group 3: change how IPython and its kernel run the cells."""

import pytest

from tests.autograder.attacks.conftest import SILENT

START = """
import ast, builtins
from autograder.wire import channel
from autograder.wire.codec import encode
shell, kernel, seen = get_ipython(), get_ipython().kernel, []
reply = encode({"value": True, "points": 14, "passed": True})

def wrong(first, *rest, **more):
    size = (first, first) if np.ndim(first) == 0 else np.shape(first)
    return np.full(size, 7.0)
masked_softmax = causal_mask = scaled_dot_product_attention = wrong
"""
TELL = SILENT | {"scaled_dot_product_attention": "print(f'seen {len(seen)} times')"}

# Turns every assert, raise and comparison of the cells to come into nothing.
SYNTAX_TREE = """
class Tame(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.Pass()
    visit_Raise = visit_Assert
    def visit_Compare(self, node):
        return ast.Constant(True)
    def visit_Module(self, node):
        seen.append(node)
        return self.generic_visit(node)
    def visit_Call(self, node):
        if getattr(node.func, "id", "") == "check":
            return ast.Constant(14.0)
        return self.generic_visit(node)
shell.ast_transformers.append(Tame())
"""
# Puts something else in the place of each cell that looks like the grader's.
SOURCE = """
def rewrite(lines):
    text = "".join(lines)
    seen.append(text)
    if "check(" in text:
        return ["14.0\\n"]
    return lines
shell.input_transformers_post.append(rewrite)
shell.input_transformers_cleanup.append(rewrite)
"""
# Answers by itself whatever the referee asks about the exercises that it cannot do.
SERVER = """
honest = channel.serve
from autograder.wire import probe
class Liar(probe.Probe):
    def handle(self, message):
        seen.append(message)
        if b"attention_scores" in bytes(message) or b"status" in bytes(message):
            return super().handle(message)
        return reply
def serve(number, namespace):
    probe.Probe = Liar
    honest(number, namespace)
channel.serve = serve
"""
HOOKS = """
def before(info):
    seen.append(info)
    shell.user_ns.update(score=14.0, points=14.0, passed=True, causal_mask=wrong)
def after(result):
    result.result = 14.0
    result.error_in_exec = result.error_before_exec = None
for moment, hook in (("pre_run_cell", before), ("post_run_cell", after),
                     ("pre_execute", lambda: before(None))):
    shell.events.register(moment, hook)
"""
RUN_CELL = """
run_cell, run_cell_async = shell.run_cell, shell.run_cell_async
def improved(result):
    result.result, result.error_in_exec, result.error_before_exec = 14.0, None, None
    return result
def later(source, *rest, **more):
    seen.append(source)
    return improved(run_cell(source, *rest, **more))
async def later_async(source, *rest, **more):
    seen.append(source)
    return improved(await run_cell_async(source, *rest, **more))
shell.run_cell, shell.run_cell_async = later, later_async
shell.showtraceback = shell._showtraceback = shell.showsyntaxerror = lambda *a, **k: None
"""
KERNEL = """
honest = kernel.do_execute
async def do_execute(code, silent, *rest, **more):
    seen.append(code)
    answer = await honest(code, silent, *rest, **more)
    return {"status": "ok", "execution_count": 14, "payload": [], "user_expressions": {},
            "score": 14.0, "points": 14.0, "passed": True}
kernel.do_execute = do_execute
kernel.shell_handlers["kernel_info_request"] = lambda *a: None
kernel.shell_handlers["interrupt_request"] = lambda *a: None
"""


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(SYNTAX_TREE, id="ast transformers"),
        pytest.param(SOURCE, id="input transformers"),
        pytest.param(SERVER, id="the server of the wire"),
        pytest.param(HOOKS, id="hooks around cells"),
        pytest.param(RUN_CELL, id="run_cell and showtraceback"),
        pytest.param(KERNEL, id="the kernel's handlers"),
    ],
)
def test_hooks(attack, change):
    outcome = attack(START + change, answers=TELL)
    assert "seen " in outcome.printed, "the attack never ran"
    assert "seen 0 times" not in outcome.printed, "the hook was never called"
    outcome.assert_failed()
