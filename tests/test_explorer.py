"""The stride explorer's data: complete, torch's own, and safe to embed."""

import json

from bs4 import BeautifulSoup

from investigation.observe import explorer


def embedded():
    return json.loads(BeautifulSoup(explorer.show().data, "lxml").script.string)


def test_every_case_that_can_be_chosen_is_there():
    data = embedded()
    chosen = {
        explorer.key(shape, memory_format, variant)
        for shape in explorer.shapes()
        for memory_format in data["formats"]
        for variant in data["variants"]
    }
    assert set(data["cases"]) == chosen
    assert all(start in sizes for start, sizes in zip(data["start"], data["sizes"], strict=True))


def test_only_the_expanded_gate_stands_still():
    strides = {
        variant: explorer.layouts((1, 3, 3, 4), "contiguous", variant)["gate"]["stride"]
        for variant in ("expand_as", "broadcast", "materialized")
    }
    assert strides["expand_as"][2:] == [0, 0]
    assert 0 not in strides["broadcast"] + strides["materialized"]


def test_the_output_follows_the_inputs_memory_format():
    output = explorer.layouts((2, 3, 3, 4), "channels_last", "expand_as")["output"]
    assert output["stride"] == [36, 1, 12, 3]


def test_nothing_embedded_can_end_the_script():
    markup = explorer.show().data
    inside = markup[markup.index("application/json") : markup.rindex("</script>")]
    assert "<" not in inside
