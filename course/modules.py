"""The nine modules of the course, in order.

`MODULES` is the only list of them. What a module offers is never written down:
it is read from the files that exist.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from course.errors import UsageError


@dataclass(frozen=True)
class Module:
    """One module: its slug in every house, its title, and what it is about."""

    slug: str
    title: str
    line: str

    @property
    def number(self):
        """The module's number, from its slug: `2` for `m02_transformer`."""
        return int(self.slug[1:3])

    @property
    def available(self):
        """True when the module's package exists in `course/`."""
        return (Path(__file__).parent / self.slug / "__init__.py").is_file()


MODULES = (
    Module(
        "m01_sequence_models",
        "Sequence models",
        "Word vectors, recurrent cells, the encoder-decoder and its bottleneck.",
    ),
    Module(
        "m02_transformer",
        "The transformer",
        "Self-attention, heads, positions, the block, masks, the whole architecture.",
    ),
    Module(
        "m03_attention",
        "Attention in depth",
        "Score functions, alignment, queries, keys and values, heads and what they are worth.",
    ),
    Module(
        "m04_training",
        "Training in practice",
        "Embeddings, batching, schedules, translation from scratch, beam search, caches.",
    ),
    Module(
        "m05_architectures",
        "Architectures",
        "BERT, GPT, Transformer-XL, RoBERTa, ALBERT, T5, BART, Longformer and BigBird, in code.",
    ),
    Module(
        "m06_fine_tuning",
        "Pre-training and fine-tuning",
        "Tokenizers, pre-training objectives, fine-tuning for five language tasks, LoRA.",
    ),
    Module(
        "m07_applications",
        "Vision, audio and efficient attention",
        "Image, sound, text with image, prompting, and attention that costs less than quadratic.",
    ),
    Module(
        "m08_production",
        "Production",
        "Quantisation, pruning, distillation, export, serving, and training on many devices.",
    ),
    Module(
        "m09_frontiers",
        "Frontiers",
        "Decision transformers, biology, experts, scaling laws, human preferences, responsible AI.",
    ),
)


def find_module(name):
    """Return the module called `name`: a slug, `m02` or `2`.

    Raises:
        UsageError: no module has this name.
    """
    key = str(name).strip().lower()
    short = re.fullmatch(r"m?0*([1-9])", key)
    for module in MODULES:
        if key == module.slug or (short and int(short[1]) == module.number):
            return module
    slugs = ", ".join(module.slug for module in MODULES)
    raise UsageError(f"There is no module {name!r}. The modules are {slugs}.")
