"""The rules against their corpus: what goes, what stays, and that what goes changes nothing."""

import inspect
import re
import subprocess
import sys
from functools import cache
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from investigation.fix.equivalence import differing, execute, trace
from investigation.fix.findings import REWRITE, RULES, scan
from investigation.fix.rewriting import rewrite, settle
from investigation.subject.torch_formats import FORMATS

FOLDER = RULES.parent
CASES = yaml.safe_load((FOLDER / "tests" / f"{REWRITE}-test.yml").read_text("utf-8"))
REWRITTEN, KEPT = CASES["invalid"], CASES["valid"]
IMPORTS = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n\n"


def title(case):
    return re.search(r"(?:def|class) (\w+)", case)[1]


def randn(*shape):
    generator = torch.Generator().manual_seed(sum(shape))
    # Away from 0, so that every power, quotient and root is a number.
    return torch.rand(shape, generator=generator) + 0.5


# What the corpus calls its tensors, with their shapes.
SHAPES = {
    "x": (2, 3, 4, 5), "target": (2, 3, 4, 5), "images": (2, 3, 4, 5), "features": (2, 3, 4, 5),
    "gate": (2, 3, 1, 1), "alpha": (2, 1, 1, 1), "shift": (1, 3, 1, 1), "floor": (1, 1, 1, 1),
    "gamma": (3,), "beta": (3,), "rows": (4, 6), "codes": (3, 6), "tokens": (2, 4, 6),
    "keep": (2, 4), "locked": (2, 1, 6), "energy": (2, 4, 4), "bias": (2, 1, 4),
    "deltas": (6, 4), "spread": (4,),
}  # fmt: skip


# What holds one of them, and how.
HOLDS = {"pyramid": "x", "holder": "x"}
HELD = {"pyramid": lambda x: [x, x[..., :2, :2]], "holder": lambda x: SimpleNamespace(map=x)}


def same(tensor):
    return tensor


def inputs(names, layout):
    """The tensors of these names, those of four dimensions in one memory format."""
    tensors = {name: randn(*SHAPES[name]) for name in names if name in SHAPES}
    if "chosen" in names:
        tensors["chosen"] = randn(2, 1, 4, 5) > 1
    return {
        name: tensor.contiguous(memory_format=layout) if tensor.dim() == 4 else tensor
        for name, tensor in tensors.items()
    }


def everything(case, layout):
    """All that a case of the corpus leaves behind: outputs, inputs afterwards, gradients."""
    namespace = execute(IMPORTS + case)
    program = namespace[title(case)]
    weights = {}
    if isinstance(program, type):
        torch.manual_seed(0)
        module = program(3)
        weights = dict(module.named_parameters())
        return trace(lambda x: module(x), inputs(["x"], layout), weights)
    names = list(inspect.signature(program).parameters)
    held = [HOLDS.get(name, name) for name in names]

    def run(**tensors):
        words = {name: HELD.get(name, same)(tensors[HOLDS.get(name, name)]) for name in names}
        return program(**words)

    return trace(run, inputs(held, layout), weights)


def test_the_corpus_is_as_large_as_promised_and_no_case_is_there_twice():
    assert len(REWRITTEN) >= 40
    assert len(KEPT) >= 40
    titles = [title(case) for case in (*REWRITTEN, *KEPT)]
    assert len(titles) == len(set(titles))


def test_ast_grep_agrees_with_every_case_of_every_rule():
    program = Path(sys.executable).with_name("ast-grep")
    done = subprocess.run(
        [program, "test", "--config", RULES], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_every_rule_has_cases_and_says_what_to_do():
    for path in (FOLDER / "rules").glob("*.yml"):
        rule = yaml.safe_load(path.read_text("utf-8"))
        cases = yaml.safe_load((FOLDER / "tests" / f"{path.stem}-test.yml").read_text("utf-8"))
        assert rule["id"] == cases["id"] == path.stem
        assert rule["note"].strip()
        assert cases["valid"]
        assert cases["invalid"]


@cache
def rewritten_cases():
    """Each case that is to be rewritten with what it becomes and the rules that name it.

    Computed once: asking ast-grep costs more than answering.
    """
    findings = scan(REWRITTEN)
    rules = [
        {found.rule for found in findings if found.index == at} for at in range(len(REWRITTEN))
    ]
    return dict(zip(REWRITTEN, zip(settle(REWRITTEN, findings), rules, strict=True), strict=True))


@pytest.mark.parametrize("case", REWRITTEN, ids=title)
def test_what_can_go_is_gone_and_going_changes_nothing(case):
    after, rules = rewritten_cases()[case]
    assert after.expansions == len(re.findall(r"\.expand", case))
    assert ".expand" not in after.text
    flagged = "exponent" in rules
    for layout in FORMATS.values():
        before, now = everything(case, layout), everything(after.text, layout)
        if flagged:  # the base's gradient may change in its last bit, and the rule warns of it
            torch.testing.assert_close(now["gradient of x"], before.pop("gradient of x"))
            del now["gradient of x"]
        assert differing(before, now) == []


def test_a_second_look_finds_nothing():
    once = [rewrite(case).text for case in REWRITTEN[:3]]
    assert [rewrite(text).text for text in once] == once
    texts = [after.text for after, _ in rewritten_cases().values()]
    assert texts[:3] == once  # one at a time or all at once
    assert [finding for finding in scan(texts) if finding.cuts] == []


def test_what_stays_is_left_to_the_byte():
    assert [finding for finding in scan(KEPT) if finding.cuts] == []


def test_comments_survive():
    for case in REWRITTEN:
        after, _ = rewritten_cases()[case]
        assert re.findall(r"#.*", after.text) == re.findall(r"#.*", case)


def test_the_comparison_sees_a_wrong_rewrite():
    """The semantic tests above would fail if the rule matched too much."""
    wrong = {
        "def f(x, gate): return torch.cat([x, gate.expand_as(x)], 1)": "raises",
        "def f(x, gate): return gate.expand_as(x).contiguous() * x": ["output"],
        "def f(x, gate): return x * gate.expand_as(x).sum()": ["output", "gradient of x"],
        "def f(x, gate): return gate.expand_as(x).mul_(x) if gate.numel() == x.numel() else x + 0":
            [],
    }  # fmt: skip
    for case, difference in wrong.items():
        naive = re.sub(r"\.expand_as\(x\)(\.contiguous\(\))?", "", case)
        before = everything(case, torch.channels_last)
        if difference == "raises":
            with pytest.raises(RuntimeError):
                everything(naive, torch.channels_last)
        else:
            assert differing(before, everything(naive, torch.channels_last))[:2] == difference[:2]


# Programs by chance: expressions over x, its gates and tensors of its own shape, with expansions
# where they can go and where they cannot.
TENSORS = {"x": (2, 3, 4, 5), "z": (2, 3, 4, 5), "y": (2, 3, 1, 1), "m": (2, 1, 4, 5),
           "v": (3, 1, 1), "s": ()}  # fmt: skip
FULL, GATES = ["x", "z"], ["y", "m", "v", "s"]
EXPANSIONS = ["{gate}.expand_as({to})", "{gate}.expand({to}.shape)", "{gate}.expand({to}.size())",
              "{gate}.expand(*{to}.shape)", "{gate}.expand(*{to}.size())",
              "({gate}).expand_as({to})", "({gate}.expand_as({to}))",
              "{gate}.expand_as({to}).expand_as({to})", "{gate}\\\n.expand_as({to})",
              "{gate}.expand_as({to}).clone()", "{gate}.expand(2, 3, 4, 5)",
              "{gate}.expand_as( {to} )", "torch.sigmoid({gate}).expand_as({to},)"]  # fmt: skip
UNPACKED = {name: f"{name}.expand(b, c, h, w)" for name in ("y", "m")}
COMBINED = ["{a} * {b}", "{a} + {b}", "{a} - {b}", "{a} / {b}", "({a}) ** 2 + ({b})",
            "torch.mul({a}, {b})", "torch.add({a}, {b})", "torch.div({a}, {b})",
            "({a}).mul({b})", "({a}).sub({b})", "torch.maximum({a}, {b})",
            "torch.min({a}, {b})", "torch.where(x > 1, {a}, {b})", "({a}).where(z > 1, {b})",
            "({a}) - ({b})", "({a} * {b})", "-{a} * {b}"]  # fmt: skip


@st.composite
def expressions(draw, depth=3):
    """An expression of x's shape."""
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        return draw(st.sampled_from(FULL))
    operands = [draw(expressions(depth - 1)), draw(expanded(depth - 1))]
    first, second = draw(st.permutations(operands))
    return draw(st.sampled_from(COMBINED)).format(a=first, b=second)


@st.composite
def expanded(draw, depth):
    """A gate, expanded in one way or another, perhaps computed from an expression."""
    gate, to = draw(st.sampled_from(GATES)), draw(st.sampled_from(FULL))
    if gate in UNPACKED and draw(st.integers(0, 4)) == 0:
        return UNPACKED[gate]
    if depth > 0 and draw(st.booleans()):
        gate = f"({draw(expressions(depth - 1))}).mean(1, keepdim=True)"
    return draw(st.sampled_from(EXPANSIONS)).format(gate=gate, to=to)


@st.composite
def programs(draw):
    """A function of the tensors: sizes unpacked, perhaps overwritten, sums written in place."""
    lines = ["b, c, h, w = x.shape", "x = x * 1", "total = x + 0"]
    names = draw(st.permutations(lines[:2])) + lines[2:]
    for _ in range(draw(st.integers(1, 3))):
        target = draw(st.sampled_from(["total = total + {}", "total {op}= {}", "total = {} + 0"]))
        sign = draw(st.sampled_from(["*", "+", "-", "/"]))
        names.append(target.format(draw(expressions()), op=sign))
    names.append(f"total *= {draw(st.sampled_from(GATES))}.expand_as(total)")
    body = "\n    ".join(names)
    return f"import torch\n\ndef program(x, z, y, m, v, s):\n    {body}\n    return total\n"


def run(text):
    tensors = {name: randn(*shape) for name, shape in TENSORS.items()}
    return trace(execute(text)["program"], tensors, {})


@settings(max_examples=25, suppress_health_check=list(HealthCheck), database=None)
@given(st.lists(programs(), min_size=8, max_size=8))
def test_programs_by_chance_compute_the_same_and_are_rewritten_once(texts):
    """Eight programs a draw, because asking ast-grep once costs more than running them."""
    findings = scan(texts)
    settled = settle(texts, findings)
    assert any(settled_text.expansions for settled_text in settled)
    for before, after in zip(texts, settled, strict=True):
        assert differing(run(before), run(after.text)) == [], before
    assert not [
        finding for finding in scan([settled_text.text for settled_text in settled]) if finding.cuts
    ]


@settings(max_examples=10, suppress_health_check=list(HealthCheck), database=None)
@given(st.lists(expanded(0), min_size=10, max_size=10), st.sampled_from(["*", "+", "-", "/", "**"]))
def test_no_expanded_operand_goes_without_a_word(operands, sign):
    """Every expansion that is an operand is either taken out or put before a person."""
    texts = [f"out = x {sign} {operand}" for operand in operands]
    assert {finding.index for finding in scan(texts)} == set(range(len(texts)))


def test_names_of_the_rules_do_not_depend_on_one_another():
    texts = ["x * y.expand_as(x)", "z * y.expand_as(x)", "x * y.expand(b, c)",
             "s = y.expand_as(x)\nx * s", "x * y.expand_as(x).clone()",
             "x -= x[:1].expand_as(x)"]  # fmt: skip
    rules = [[finding.rule for finding in scan([text])] for text in texts]
    assert all(len(rule) == 1 for rule in rules)
    assert all(names != other for names, other in combinations(rules, 2))


# Every kind of rewrite, on tensors by chance: sizes, layouts, dtypes, and which sizes of the
# expanded tensor are 1 or missing. `where` chooses by a condition of x's shape or the gate's.
FORMS = ["{y}.expand_as({x})", "{y}.expand({x}.shape)", "{y}.expand({x}.size())",
         "{y}.expand(*{x}.shape)", "{y}.expand(*{x}.size())"]  # fmt: skip
SIGNS = ["*", "+", "-", "/", "**"]
METHODS = ["mul", "multiply", "add", "sub", "subtract", "div", "divide", "true_divide", "pow",
           "maximum", "minimum", "max", "min"]  # fmt: skip
UNARY = ["relu", "sigmoid", "tanh", "exp", "log", "sqrt", "rsqrt", "abs", "square"]
SIMPLE = [method for method in METHODS if method not in ("pow", "maximum", "minimum", "max", "min")]
KINDS = {
    **{f"x {sign} y": f"return x {sign} {{e}}" for sign in SIGNS},
    **{f"y {sign} x": f"return {{e}} {sign} x" for sign in SIGNS},
    **{f"x {sign}= y": f"x {sign}= {{e}}\n    return x" for sign in SIGNS},
    **{f"torch.{name}(x, y)": f"return torch.{name}(x, {{e}})" for name in METHODS},
    **{f"torch.{name}(y, x)": f"return torch.{name}({{e}}, x)" for name in METHODS},
    **{f"x.{name}(y)": f"return x.{name}({{e}})" for name in METHODS},
    **{f"y.{name}(x)": f"return {{e}}.{name}(x)" for name in METHODS},
    **{f"x.{name}_(y)": f"return x.{name}_({{e}})" for name in [*SIMPLE, "pow"]},
    **{f"torch.{name}(x) * y": f"return torch.{name}(x) * {{e}}" for name in UNARY},
    "F.relu(x) - y": "return {e} - F.relu(x)",
    "where(m, x, y)": "return torch.where(z > 1, x, {e})",
    "where(m, y, x)": "return torch.where(y > 1, {e}, x)",
    "x.where(m, y)": "return x.where(z > 1, {e})",
    "y.where(m, x)": "return {e}.where(y > 1, x)",
    "where(y, x, z)": "return torch.where((y > 1).expand_as(x), x, z)",
    "kept and returned": "scale = {e}\n    return x * scale",
    "kept anew and returned": "y = {e}\n    return (y - x)",
}  # fmt: skip
# The base's gradient may change in its last bit; the rule `exponent` warns of it where it applies.
TO_THE_POWER = {"x ** y", "x **= y", "torch.pow(x, y)", "x.pow(y)", "x.pow_(y)", "y.pow(x)"}


@cache
def rewritten_kinds():
    """Each kind in each form, with and without its expansion, by its title; computed once."""
    texts = {
        (kind, form): "import torch\nimport torch.nn.functional as F\n\n"
        f"def program(x, y, z):\n    x = x * 1\n    {body.format(e=form.format(x='x', y='y'))}\n"
        for kind, body in KINDS.items()
        for form in FORMS
    }
    settled = settle(list(texts.values()), scan(list(texts.values())))
    return {
        key: (execute(before)["program"], after)
        for (key, before), after in zip(texts.items(), settled, strict=True)
    }


def laid_out(sizes, dtype, order):
    """A dense tensor of these sizes, away from 0, whose dimensions lie in memory in that order."""
    tensor = (randn(*(sizes[axis] for axis in order)) * 1.5).to(dtype)
    return tensor.permute([order.index(axis) for axis in range(len(sizes))])


@st.composite
def operands(draw):
    """x, a gate that expands to it, and a tensor of x's shape and layout, all of one dtype."""
    sizes = draw(st.lists(st.sampled_from([0, 1, 2, 3, 5, 17]), min_size=1, max_size=4))
    narrow = [size if draw(st.booleans()) else 1 for size in sizes]
    narrow = narrow[draw(st.integers(0, len(narrow))) :]
    dtype = draw(st.sampled_from([torch.float32, torch.float64, torch.bfloat16, torch.float16]))
    order = draw(st.permutations(range(len(sizes))))
    gates = draw(st.permutations(range(len(narrow))))
    return {"x": laid_out(sizes, dtype, order), "y": laid_out(narrow, dtype, gates),
            "z": laid_out(sizes, dtype, order)}  # fmt: skip


def addressed(tensors):
    """The tensors by name and shape, without dimensions of size 1, whose strides mean nothing."""
    return {f"{name} {tuple(tensor.shape)}": tensor.squeeze() for name, tensor in tensors.items()}


def test_every_kind_loses_its_expansion():
    assert [key for key, (_, after) in rewritten_kinds().items() if ".expand" in after.text] == []


@settings(max_examples=30, suppress_health_check=list(HealthCheck), database=None)
@given(tensors=operands(), data=st.data())
def test_every_kind_of_rewrite_computes_the_same_on_any_tensors(tensors, data):
    """One form of each kind a draw: what is refused stays refused, what is computed the same."""
    for kind in KINDS:
        before, after = rewritten_kinds()[kind, data.draw(st.sampled_from(FORMS))]
        now = execute(after.text)["program"]
        expected, actual = trace(before, tensors, {}), trace(now, tensors, {})
        if kind in TO_THE_POWER:
            for gradient in [name for name in expected if name.startswith("gradient")]:
                torch.testing.assert_close(actual.pop(gradient), expected.pop(gradient))
        unlike = differing(addressed(expected), addressed(actual))
        assert unlike == [], (kind, after.text)
