"""Checks of lab 5: masks and targets, the whole transformer, greedy decoding."""

import weakref
from dataclasses import dataclass, replace

import numpy as np

from autograder.compare import Mismatch, equal, holds
from autograder.exercise import Exercise
from autograder.wire.client import RemoteObject
from autograder.wire.slopes import central, outputs

# padding_mask ------------------------------------------------------------------------------------

padding = Exercise(
    "padding_mask",
    points=2,
    signature="padding_mask(token_ids)",
    package="course.m02_transformer.padding_mask",
    forbids=["course.m02_transformer.padding_mask", "course.m02_transformer.cross_mask"],
    hints=[
        "A mask answers one question for each token: may it be attended to? Padding may not.",
        "Compare every id with 0. The comparison gives the booleans.",
        "[[5, 0], [7, 2]] becomes [[True, False], [True, True]]: `keras.ops.not_equal(ids, 0)`.",
    ],
)


@padding.oracle
def padding_mask(token_ids):
    """True where the id is not 0."""
    return np.asarray(token_ids) != 0


@padding.case(points=1, hint="True where a token stands, False where the id is 0.")
def tokens_are_true(lab, rng):
    """Every token is True and every padding id is False."""
    token_ids = _padded(rng, lengths=[13, *_lengths(rng)], vocabulary_size=97)
    token_ids[0, 0] = 1  # the smallest id of a token
    return equal(lab.padding_mask(token_ids), padding_mask(token_ids), "mask")


@padding.case(points=1, hint="Look at the ids alone, not at where they stand.")
def padding_may_stand_anywhere(lab, rng):
    """Padding counts wherever it stands: in front, in the middle, in a whole row."""
    token_ids = _with_holes(rng, 5, 11)
    token_ids[2] = 0
    return equal(lab.padding_mask(token_ids), padding_mask(token_ids), "mask")


@padding.misconception("Your mask is the wrong way round: True means a token, not padding.")
def inverted(token_ids):
    """True at padding."""
    return token_ids == 0


@padding.misconception("Your mask holds 0 and 1. It should be boolean; compare, do not cast.")
def zeros_and_ones(token_ids):
    """Integers."""
    return (token_ids != 0).astype("int32")


@padding.misconception("You compare with 1: id 1 is a token too. Only id 0 is padding.")
def above_one(token_ids):
    """Id 1 counts as padding."""
    return token_ids > 1


@padding.misconception("Your mask has an extra axis. Return (B, S): one truth value per token.")
def with_query_axis(token_ids):
    """(B, 1, S), ready to broadcast."""
    return (token_ids != 0)[:, None, :]


@padding.misconception("You use the first example's padding for all. Each example has its own.")
def of_the_first_example(token_ids):
    """Row 0 for every row."""
    return np.broadcast_to(token_ids[:1] != 0, token_ids.shape)


@padding.misconception("You stop at the first padding id. A token behind it is still a token.")
def until_the_first_pad(token_ids):
    """Lengths instead of ids."""
    return np.cumprod(token_ids != 0, axis=1).astype(bool)


@padding.misconception("Your mask is True everywhere. It has to be False where the id is 0.")
def everything(token_ids):
    """No padding at all."""
    return np.ones(token_ids.shape, bool)


# decoder_mask ------------------------------------------------------------------------------------

decoder = Exercise(
    "decoder_mask",
    points=3,
    signature="decoder_mask(token_ids)",
    package="course.m02_transformer.decoder_mask",
    forbids=["course.m02_transformer.decoder_mask"],
    depends_on=["padding_mask"],
    hints=[
        "Two rules at once: key j is not later than query i, and key j is a token.",
        "causal[i, j] = (j <= i), shape (T, T). Give the padding mask a query axis: (B, 1, T). "
        "Then combine the two with `&`; broadcasting does the rest.",
        "For [[5, 7, 0]]: causal is [[1,0,0], [1,1,0], [1,1,1]], tokens are [[[1, 1, 0]]]; "
        "their `&` is [[[1,0,0], [1,1,0], [1,1,0]]].",
    ],
)


@decoder.oracle
def decoder_mask(token_ids, *, padding_mask=padding_mask):
    """Causal, and not padding as a key."""
    length = np.shape(token_ids)[1]
    return np.tri(length, dtype=bool) & np.asarray(padding_mask(token_ids))[:, None, :]


@decoder.case(points=1, hint="Row i is True from column 0 to column i, its own included.")
def without_padding_it_is_causal(lab, rng):
    """Without padding, each position sees itself and everything before it, in every example."""
    token_ids = rng.integers(1, 97, (3, int(rng.integers(5, 60))))
    return equal(lab.decoder_mask(token_ids), decoder_mask(token_ids), "mask")


@decoder.case(points=1, hint="The padding mask hides keys, which are the columns.")
def padding_at_the_end_is_hidden(lab, rng):
    """No query sees a padding key; a padding query still sees the tokens before it."""
    token_ids = _padded(rng, lengths=[13, *_lengths(rng)], vocabulary_size=97)
    return equal(lab.decoder_mask(token_ids), decoder_mask(token_ids), "mask")


@decoder.case(points=1, hint="Each example has a padding mask of its own.")
def padding_may_stand_in_front(lab, rng):
    """Padding in front or in the middle is hidden too, for each example on its own."""
    token_ids = _with_holes(rng, 5, 11)
    return equal(lab.decoder_mask(token_ids), decoder_mask(token_ids), "mask")


@decoder.misconception("Your mask hides the future but not the padding. Combine both rules.")
def causal_alone(token_ids):
    """The triangle for every example."""
    return decoder_mask(np.ones_like(token_ids))


@decoder.misconception("Your mask hides the padding but not the future. Combine both rules.")
def padding_alone(token_ids):
    """The same row for every query."""
    length = token_ids.shape[1]
    return np.repeat((token_ids != 0)[:, None, :], length, axis=1)


@decoder.misconception("Your queries see the future and not the past: turn the triangle round.")
def upside_down(token_ids):
    """Keys from the query onwards."""
    length = token_ids.shape[1]
    return np.tri(length, dtype=bool).T & (token_ids != 0)[:, None, :]


@decoder.misconception("A position may attend to itself: the diagonal belongs to the mask.")
def without_the_diagonal(token_ids):
    """Keys strictly before the query."""
    length = token_ids.shape[1]
    return np.tri(length, k=-1, dtype=bool) & (token_ids != 0)[:, None, :]


@decoder.misconception(
    "You hide the rows of padding queries. Padding has to be hidden as a key, in the columns: "
    "the new axis of the padding mask is the middle one."
)
def hidden_queries(token_ids):
    """Rows of padding are False, columns are not."""
    length = token_ids.shape[1]
    return np.tri(length, dtype=bool) & (token_ids != 0)[:, :, None]


@decoder.misconception(
    "You hide the rows of padding queries as well. Hide padding as a key only: a row without a "
    "single True has nothing to attend to."
)
def hidden_queries_and_keys(token_ids):
    """Rows and columns of padding are False."""
    token = token_ids != 0
    return decoder_mask(token_ids) & token[:, :, None]


@decoder.misconception("You joined the rules with `or`. A key must keep both: use `&`.")
def either_rule(token_ids):
    """Joined by or."""
    length = token_ids.shape[1]
    return np.tri(length, dtype=bool) | (token_ids != 0)[:, None, :]


@decoder.misconception("Your mask holds 0 and 1. It should be boolean; do not cast.")
def decoder_zeros_and_ones(token_ids):
    """Integers."""
    return decoder_mask(token_ids).astype("int32")


# shift_right -------------------------------------------------------------------------------------

shift = Exercise(
    "shift_right",
    points=2,
    signature="shift_right(target_ids, start_id)",
    package="course.m02_transformer.shift_right",
    forbids=["course.m02_transformer.shift_right"],
    hints=[
        "At step t the decoder may read only what comes before token t.",
        "One column of start tokens, then all columns of the target but the last: "
        "`target_ids[:, :-1]`.",
        "[[5, 6, 2]] with start 1: [[1]] beside [[5, 6]] gives [[1, 5, 6]].",
    ],
)


@shift.oracle
def shift_right(target_ids, start_id):
    """The start token, then all but the last column."""
    start = np.full_like(target_ids[:, :1], start_id)
    return np.concatenate([start, target_ids[:, :-1]], axis=1)


@shift.case(points=1, hint="Place t of the result holds token t - 1 of the target.")
def tokens_move_one_place(lab, rng):
    """The start token comes first, every token moves one place, the length stays."""
    target_ids, start_id = rng.integers(3, 97, (3, 7)), int(rng.integers(100, 200))
    return equal(lab.shift_right(target_ids, start_id), shift_right(target_ids, start_id), "result")


@shift.case(points=1, hint="Padding is an id like the others: it moves too.")
def padding_moves_along(lab, rng):
    """Rows with padding move in the same way, and the last column is dropped."""
    target_ids = _padded(rng, lengths=[11, 4, 7, 1, 10], vocabulary_size=97)
    return equal(lab.shift_right(target_ids, 1), shift_right(target_ids, 1), "result")


@shift.misconception("You put the start token in front but did not drop the last column.")
def longer(target_ids, start_id):
    """T + 1 columns."""
    return np.concatenate([np.full_like(target_ids[:, :1], start_id), target_ids], axis=1)


@shift.misconception("You shifted to the left: the decoder would read the answer of step t at t.")
def to_the_left(target_ids, start_id):
    """The first token dropped, the start token last."""
    return np.concatenate([target_ids[:, 1:], np.full_like(target_ids[:, :1], start_id)], axis=1)


@shift.misconception(
    "You shifted to the left and put 0 behind. Shift to the right; the start token goes in front."
)
def to_the_left_with_zeros(target_ids, start_id):
    """The first token dropped, padding last."""
    return to_the_left(target_ids, 0)


@shift.misconception("You rolled the last token to the front. The start token belongs there.")
def rolled(target_ids, start_id):
    """The last token comes first."""
    return np.roll(target_ids, 1, axis=1)


@shift.misconception("You replaced the first token and moved none: the decoder reads token t at t.")
def overwritten(target_ids, start_id):
    """Only the first column changes."""
    return np.concatenate([np.full_like(target_ids[:, :1], start_id), target_ids[:, 1:]], axis=1)


@shift.misconception("You shifted along the batch. The target's length is axis 1.")
def along_the_batch(target_ids, start_id):
    """Axis 0."""
    return np.concatenate([np.full_like(target_ids[:1], start_id), target_ids[:-1]], axis=0)


@shift.misconception("You dropped the last column but put no start token in front.")
def shorter(target_ids, start_id):
    """T - 1 columns."""
    return target_ids[:, :-1]


@shift.misconception("You put padding in front. The first place holds `start_id`.")
def padding_in_front(target_ids, start_id):
    """0 for the start token."""
    return shift_right(target_ids, 0)


# build_transformer -------------------------------------------------------------------------------

V, D, F, N = 13, 14, 5, 7  # vocabulary, width, feed-forward width, heads of size 2
DEPTH = 3  # layers of the model that is looked into
CHANGED = 5e-5  # of the largest logit; rounding stays below 1e-6, a token's effect above 3e-4
ACTS = 3e-6  # the same where a whole matrix gets other values; rounding stays below 4e-7
SHARE = 5e-4  # of a matrix's size, by which it changes along its gradient
SLOPE_ERROR = 0.05  # of the size of such changes' effects: rounding and curvature
MODELS = weakref.WeakKeyDictionary()  # what is known of the models of one judgement, by name

transformer = Exercise(
    "build_transformer",
    points=15,
    signature="build_transformer(vocabulary_size, hidden_dim, intermediate_dim, num_layers, "
    "num_heads, dropout=0.0)",
    package="course.m02_transformer.build_transformer",
    forbids=["course.m02_transformer.build_transformer"],
    hints=[
        "Draw the two towers first: source ids → embedding → positions → encoder gives the "
        "memory; target ids → embedding → positions → decoder, which also reads the memory, → "
        "Dense. Then write one line per box.",
        "memory = encoder(embed(source_ids), padding_mask=mask); "
        "x = decoder(embed(target_ids), memory, memory_padding_mask=mask), with "
        "mask = padding_mask(source_ids). The stacks take num_layers, intermediate_dim, "
        "num_heads and dropout.",
        "embed(ids) is positions(scale(embedding(ids))) with `keras.layers.Rescaling("
        "hidden_dim**0.5)`. For V = 13 and D = 14, ids (3, 5) become (3, 5, 14), and the last "
        "Dense(13) gives (3, 7, 13) for a target of length 7.",
    ],
)


@transformer.case(points=1, hint="Inputs of shape (None,), and no layer with a fixed length.")
def lengths_are_free(lab, rng):
    """Source (B, S) and target (B, T) of any lengths give an output (B, T, V)."""
    MODELS.pop(lab._transport, None)
    model = _filled(lab, rng)
    lengths = ((17, 3), (3, 19))
    spread = [np.ptp(_logits(model, _ids(rng, 3, s), _ids(rng, 3, t))) for s, t in lengths]
    spread.append(np.ptp(_rows(lab, rng).logits[:, 0]))
    return _some_change(float(min(spread)), "All outputs are equal.")


@transformer.case(points=1, hint="The last layer is Dense(vocabulary_size) without activation.")
def the_output_is_logits(lab, rng):
    """The output is logits, of both signs and without activation: the loss takes the softmax."""
    model, rows = _filled(lab, rng), _rows(lab, rng)
    logits = rows.logits[:, 0]
    ones = {"probabilities": logits.sum(-1), "log-probabilities": np.exp(logits).sum(-1)}
    found = [name for name, sums in ones.items() if np.abs(sums - 1).max() < 1e-3]
    got = found[0] if found else "logits"
    return [
        holds(not found, "logits", got, f"The output holds {got}, which add up to 1."),
        holds(
            logits.min() < 0 < logits.max(),
            "numbers of both signs",
            f"numbers from {logits.min():.3g} to {logits.max():.3g}",
            "All outputs have one sign. Logits have both: the last layer has no activation.",
        ),
        _no_activation(model, logits, rows.source, rows.target),
    ]


@transformer.case(points=1, hint="The decoder's self-attention is causal.")
def later_targets_are_hidden(lab, rng):
    """A changed target token, or padding put behind the target, changes no earlier logit."""
    model, rows = _filled(lab, rng), _rows(lab, rng)
    change = rows.changes(TARGETS)
    padded = np.pad(rows.target, ((0, 0), (0, int(rng.integers(2, 5)))))
    behind = _difference(rows.logits[:, 0], _logits(model, rows.source, padded)[:, :7])
    problem = "Some logits depend on target tokens that come later."
    return [
        _no_change(float(np.tril(change, k=-1).max()), problem),
        _no_change(behind, "Padding behind the target changes the logits before it."),
        _some_change(float(change.max()), "No target token changes any logit."),
    ]


@transformer.case(points=1, hint="Shift the targets before the model, in the data; not inside it.")
def a_target_token_counts_at_its_own_position(lab, rng):
    """Target token t changes the logits at position t, which predict the token after it."""
    change = _rows(lab, rng).changes(TARGETS).max(0)
    problem = "A target token does not change the logits at its own position."
    return _some_change(float(np.diag(change).min()), problem)


@transformer.case(points=1, hint="The decoder's cross-attention reads the encoder's output.")
def every_source_token_counts(lab, rng):
    """Every source token changes the logits."""
    change = _rows(lab, rng).changes(SOURCES).max((0, 2))
    return _some_change(float(change.min()), "A source token changes no logit.")


@transformer.case(points=1, hint="Add positions to the source's embeddings.")
def source_order_counts(lab, rng):
    """The same source tokens in another order give other logits."""
    change = _rows(lab, rng).changes(ROLLED)
    return _some_change(float(change.max()), "The order of the source makes no difference.")


@transformer.case(points=1, hint="Add positions to the target's embeddings too.")
def target_order_counts(lab, rng):
    """Earlier target tokens in another order give other logits, with one layer already."""
    change = _rows(lab, rng).changes(SWAPPED)[:, 0, 4:]
    return _some_change(float(change.max()), "The order of earlier tokens makes no difference.")


@transformer.case(points=1, hint="Both attentions that read the source need its padding mask.")
def padding_of_the_source_is_invisible(lab, rng):
    """Padding appended to the source changes no logit; tokens appended there do."""
    model, rows = _filled(lab, rng), _rows(lab, rng)
    longer = np.concatenate([rows.source, _ids(rng, 3, int(rng.integers(2, 5)))], axis=1)
    padded = np.where(np.arange(longer.shape[1]) < 5, longer, 0)
    both = _logits(model, np.concatenate([padded, longer]), np.concatenate([rows.target] * 2))
    before, (pads, tokens) = rows.logits[:, 0], np.split(both, 2)
    return [
        _no_change(_difference(before, pads), "Padding behind the source changes the logits."),
        _some_change(_difference(before, tokens), "Tokens put behind the source change nothing."),
    ]


@transformer.case(points=1, hint="Every layer of a stack needs the masks, not the first alone.")
def later_layers_are_masked_too(lab, rng):
    """With three layers, too, later target tokens and source padding change no logit."""
    deep = _deep(lab, rng)
    change, (source, target) = deep.rows.changes(TARGETS), (deep.rows.source, deep.rows.target)
    padded = np.pad(source, ((0, 0), (0, int(rng.integers(2, 5)))))
    pads = _difference(deep.rows.logits[:, 0], _logits(deep.model, padded, target))
    problem = "With three layers, some logits depend on target tokens that come later."
    return [
        _no_change(float(np.tril(change, k=-1).max()), problem),
        _no_change(pads, "With three layers, padding behind the source changes the logits."),
        _some_change(float(change.max()), "With three layers, no target token changes any logit."),
    ]


@transformer.case(points=1, hint="Every decoder layer takes the same memory: the encoder's output.")
def every_decoder_layer_reads_the_whole_encoder(lab, rng):
    """With three layers, each decoder layer reads what the encoder's last layer returns."""
    deep = _deep(lab, rng)
    change, alone = float(deep.rows.changes(OTHER).max()), deep.through.values()
    own = _size(set().union(*alone) - set.intersection(*map(set, alone))) if alone else 0
    count = len(alone) if own >= DEPTH * D**2 else min(len(alone), 1)
    apart = max((_size(a - b) for a in alone for b in alone), default=0)
    problem = (
        "A decoder layer reads something else than the others: while it alone reads the source, "
        f"{apart:,} weights do nothing that act where another one does."
    )
    return [
        _some_change(change, "With three layers, the source changes no logit."),
        holds(
            count >= DEPTH,
            f"{DEPTH} decoder layers that read the encoder's output",
            str(count),
            "With three layers, not every decoder layer reads the source by weights of its own.",
        ),
        holds(apart <= 4 * D**2, "an attention's weights at most", f"{apart:,}", problem),
    ]


@transformer.case(points=2, hint="num_layers counts the layers of the encoder and of the decoder.")
def each_layer_adds_its_weights(lab, rng):
    """Each further layer adds the weights of one encoder and one decoder layer, all at work."""
    one, deep = _filled(lab, rng), _deep(lab, rng)
    (size, matrices), (all_of_it, at_work) = _sizes(one), _sizes(deep.model)
    more = DEPTH - 1
    least = more * (12 * D**2 + 4 * D * F)  # 3 attentions, 2 feed-forward networks, no biases
    most = least + more * (40 * D + 8 * F)
    grown, used = all_of_it - size, at_work - matrices - _size(deep.idle)
    right = used >= least and grown <= most
    number = int(grown if grown > most else used)
    if grown == 0:
        problem = f"With one layer and with {DEPTH} it has {size:,} weights: "
        problem += "`num_layers` does nothing."
    else:
        kind = "many" if grown > most else "few"
        problem = (
            f"A second and a third layer add {number:,} weights that act, too {kind} for those "
            "layers."
        )
    return holds(right, f"{least:,} to {most:,} more weights", f"{number:,}", problem)


@transformer.case(points=1, hint="Hand num_heads to the encoder and the decoder.")
def the_number_of_heads_counts(lab, rng):
    """The same weights give other logits when they are cut into other heads."""
    rows = _rows(lab, rng)
    quiet = _quiet(lab, rng, dropout=0.5)
    if _difference(*quiet) >= CHANGED:  # another fault, which has a case of its own
        quiet = _quiet(lab, rng, dropout=0.0)
    change = _difference(rows.logits[:, 0], quiet[0])
    return [
        _no_change(_difference(*quiet), "The logits vary outside training."),
        _some_change(change, "`num_heads` makes no difference."),
    ]


@transformer.case(points=1, hint="Every layer you make must lie between the inputs and the logits.")
def every_weight_learns(lab, rng):
    """With three layers, the gradient reaches every weight matrix, and is that of the output."""
    deep = _deep(lab, rng)
    variables, gradients = deep.model.variables, deep.model.gradients(list(deep.rows.inputs))
    dead = {place for place, *_ in deep.idle} | {*_dead(variables, gradients)}
    names = ", ".join(variables[place][0] for place in sorted(dead)[:2])
    off = _off_the_slopes(deep, rng, gradients)
    problem = f"The gradients are not the slopes of the output: off by {off:.2g} of their size."
    return [
        holds(
            not dead,
            "gradients everywhere",
            f"{len(dead)} weights without",
            f"No gradient reaches {names}.",
        ),
        holds(off < SLOPE_ERROR, "the slopes of the output", f"off by {off:.2g}", problem),
    ]


@transformer.case(points=1, hint="Hand dropout to the stacks; Keras switches it on in training.")
def dropout_acts_in_training_only(lab, rng):
    """With `dropout=0.5`, logits vary in training and repeat exactly at other times."""
    rows, model = _rows(lab, rng), _with_two_heads(lab, rng, dropout=0.5)
    quiet, noisy = _quiet(lab, rng, dropout=0.5), _twice(model, rows, training=True)
    MODELS.pop(lab._transport, None)  # the models know their transport: nothing else lets them go
    if _difference(*noisy) <= CHANGED:  # noise that examples share changes from call to call
        noisy = [noisy[0], _twice(model, rows, training=True)[0]]
    return [
        _no_change(_difference(*quiet), "The logits vary outside training."),
        _some_change(_difference(*noisy), "The logits do not vary in training."),
        _some_change(float(np.ptp(quiet[0])), "All logits are equal."),
    ]


RIGHT = {"causal": True, "masks": True, "reads": "memory"}  # what each layer should do


def _variant(
    vocabulary_size,
    hidden_dim,
    intermediate_dim,
    num_layers,
    num_heads,
    dropout=0.0,
    *,
    positions=(True, True),
    used_layers=None,
    heads=None,
    shared=False,
    shifted=False,
    activation=None,
    later=None,
    **faults,
):
    """Build a transformer of Keras's own layers with one thing wrong.

    `faults` differ from `RIGHT` in every layer, `later` in all but the first.
    """
    import keras
    from keras import ops

    source_ids, target_ids = (keras.Input((None,), dtype="int32") for _ in range(2))
    mask, made = ops.not_equal(source_ids, 0)[:, None, :], {}
    drop = keras.layers.Dropout(dropout)

    def make(place, kind, *args, **kwargs):
        if place not in made:
            made[place] = getattr(keras.layers, kind)(*args, **kwargs)
        return made[place]

    def add_and_norm(x, update, place):
        return make((*place, "norm"), "LayerNormalization")(x + drop(update))

    def attend(x, value, place, **kwargs):
        n = heads or num_heads
        layer = make(place, "MultiHeadAttention", n, hidden_dim // n)
        return add_and_norm(x, layer(x, value, **kwargs), place)

    def feed_forward(x, place):
        inner = make((*place, "inner"), "Dense", intermediate_dim, activation="relu")(x)
        return add_and_norm(x, make((*place, "outer"), "Dense", hidden_dim)(inner), place)

    def add_positions(x):
        frequency = np.exp(-np.arange(hidden_dim) / hidden_dim * 4).astype("float32")
        angles = ops.cast(ops.arange(ops.shape(x)[1]), "float32")[:, None] * frequency
        return x + ops.sin(angles + np.arange(hidden_dim, dtype="float32") % 2)

    def embed(ids, with_positions):
        x = keras.layers.Embedding(vocabulary_size, hidden_dim)(ids)
        x = keras.layers.Rescaling(hidden_dim**0.5)(x)
        return keras.layers.Lambda(add_positions)(x) if with_positions else x

    def choices(layer):
        chosen = RIGHT | faults | ((later or {}) if layer else {})
        return chosen, {"attention_mask": mask} if chosen["masks"] else {}

    memories = [embed(source_ids, positions[0])]
    count = used_layers or num_layers
    for i in range(count):
        _, reading = choices(i)
        place = 0 if shared else i
        x = attend(memories[-1], memories[-1], ("encoder", place), **reading)
        memories.append(feed_forward(x, ("encoder network", place)))
    if shifted:
        target = ops.pad(target_ids[:, :-1], ((0, 0), (1, 0)), constant_values=1)
    x = embed(target if shifted else target_ids, positions[1])
    for i in range(count):
        chosen, reading = choices(i)
        place = 0 if shared else i
        x = attend(x, x, ("decoder", place), use_causal_mask=chosen["causal"])
        if chosen["reads"] == "target":
            x = attend(x, x, ("cross", place))
        elif chosen["reads"]:
            at = {"memory": -1, "same depth": i + 1, "first layer": 1, "embedding": 0}
            x = attend(x, memories[at[chosen["reads"]]], ("cross", place), **reading)
        x = feed_forward(x, ("decoder network", place))
    logits = keras.layers.Dense(vocabulary_size, activation=activation)(x)
    return keras.Model([source_ids, target_ids], logits)


@transformer.misconception(
    "The decoder sees the future: its self-attention has no causal mask.",
    fails={"later_targets_are_hidden", "later_layers_are_masked_too"},
)
def no_causal_mask(*sizes, **kwargs):
    """Self-attention of the decoder without a mask."""
    return _variant(*sizes, **kwargs, causal=False)


@transformer.misconception(
    "Neither source nor target has positions. Attention alone cannot tell the order of tokens.",
    fails={"source_order_counts", "target_order_counts"},
)
def no_positions(*sizes, **kwargs):
    """Embeddings alone."""
    return _variant(*sizes, **kwargs, positions=(False, False))


@transformer.misconception(
    "The target has positions and the source has none. Add them to both.",
    fails={"source_order_counts"},
)
def no_source_positions(*sizes, **kwargs):
    """Positions in the decoder alone."""
    return _variant(*sizes, **kwargs, positions=(False, True))


@transformer.misconception(
    "The source has positions and the target has none. Add them to both.",
    fails={"target_order_counts"},
)
def no_target_positions(*sizes, **kwargs):
    """Positions in the encoder alone."""
    return _variant(*sizes, **kwargs, positions=(True, False))


@transformer.misconception(
    "Padding of the source is attended to. Give its padding mask, True at tokens, to the encoder "
    "and to the decoder's cross-attention.",
    fails={"padding_of_the_source_is_invisible", "later_layers_are_masked_too"},
)
def visible_padding(*sizes, **kwargs):
    """No padding mask anywhere."""
    return _variant(*sizes, **kwargs, masks=False)


@transformer.misconception(
    "The logits do not depend on the source: the decoder never reads the encoder's output.",
    fails={
        "every_source_token_counts",
        "source_order_counts",
        "padding_of_the_source_is_invisible",
        "every_decoder_layer_reads_the_whole_encoder",
        "each_layer_adds_its_weights",
    },
)
def no_cross_attention(*sizes, **kwargs):
    """A decoder on its own."""
    return _variant(*sizes, **kwargs, reads=None)


@transformer.misconception(
    "The cross-attention reads the target instead of the encoder's output: the logits know the "
    "future and nothing of the source. Hand `memory` to the decoder.",
    fails={
        "later_targets_are_hidden",
        "every_source_token_counts",
        "source_order_counts",
        "padding_of_the_source_is_invisible",
        "later_layers_are_masked_too",
        "every_decoder_layer_reads_the_whole_encoder",
        "each_layer_adds_its_weights",
    },
)
def cross_attention_to_itself(*sizes, **kwargs):
    """The decoder takes its own input for the memory."""
    return _variant(*sizes, **kwargs, reads="target")


UNMASKED = (
    "The first layer has its masks and a later one has not. Each decoder layer needs the causal "
    "mask, each encoder layer and each cross-attention the padding mask of the source."
)


@transformer.misconception(UNMASKED, fails={"later_layers_are_masked_too"})
def later_layers_see_the_future(*sizes, **kwargs):
    """A causal mask in the first decoder layer alone."""
    return _variant(*sizes, **kwargs, later={"causal": False})


@transformer.misconception(UNMASKED, fails={"later_layers_are_masked_too"})
def later_layers_see_padding(*sizes, **kwargs):
    """A padding mask in the first layers alone."""
    return _variant(*sizes, **kwargs, later={"masks": False})


@transformer.misconception(
    "One decoder layer reads the encoder's last layer and another reads something else. All of "
    "them take the same memory: what the whole encoder returns.",
    fails={"every_decoder_layer_reads_the_whole_encoder"},
)
def layers_read_their_own_depth(*sizes, **kwargs):
    """Decoder layer i reads encoder layer i."""
    return _variant(*sizes, **kwargs, reads="same depth")


@transformer.misconception(
    "The first decoder layer reads the encoder's output and a later one reads the target. Hand "
    "`memory` to every decoder layer.",
    fails={"later_layers_are_masked_too", "every_decoder_layer_reads_the_whole_encoder"},
)
def later_layers_read_the_target(*sizes, **kwargs):
    """The cross-attention of later layers attends to the decoder's own sequence."""
    return _variant(*sizes, **kwargs, later={"reads": "target"})


LAYERS = (
    "Layers are missing, shared, or of another width. Between inputs and logits there should be "
    "num_layers encoder layers and num_layers decoder layers, each with its own weights, "
    "hidden_dim and intermediate_dim wide."
)


@transformer.misconception(LAYERS, fails={"each_layer_adds_its_weights"})
def first_encoder_layer_read(*sizes, **kwargs):
    """The decoder reads the encoder's first layer, so the others do nothing."""
    return _variant(*sizes, **kwargs, reads="first layer")


ONE_DECODER_LAYER = {"each_layer_adds_its_weights", "every_decoder_layer_reads_the_whole_encoder"}


@transformer.misconception(LAYERS, fails=ONE_DECODER_LAYER)
def one_layer_only(*sizes, **kwargs):
    """One layer, whatever `num_layers` says."""
    return _variant(*sizes, **kwargs, used_layers=1)


@transformer.misconception(LAYERS, fails=ONE_DECODER_LAYER)
def shared_layers(*sizes, **kwargs):
    """One layer's weights used `num_layers` times."""
    return _variant(*sizes, **kwargs, shared=True)


@transformer.misconception(
    "The number of heads is fixed in your code. Use `num_heads`.",
    fails={"the_number_of_heads_counts"},
)
def fixed_heads(*sizes, **kwargs):
    """Two heads, whatever `num_heads` says."""
    return _variant(*sizes, **kwargs, heads=2)


ACTIVATED = (
    "The output has been through an activation, such as softmax, sigmoid or ReLU. Return logits: "
    "the last Dense has no activation, and the loss takes the softmax."
)


@transformer.misconception(ACTIVATED, fails={"the_output_is_logits"})
def softmax_output(*sizes, **kwargs):
    """Probabilities."""
    return _variant(*sizes, **kwargs, activation="softmax")


@transformer.misconception(ACTIVATED, fails={"the_output_is_logits"})
def relu_output(*sizes, **kwargs):
    """The negative logits are lost."""
    return _variant(*sizes, **kwargs, activation="relu")


@transformer.misconception(ACTIVATED, fails={"the_output_is_logits"})
def tanh_output(*sizes, **kwargs):
    """Both signs, but never above 1."""
    return _variant(*sizes, **kwargs, activation="tanh")


@transformer.misconception(
    "The model shifts the target itself. Targets are shifted before, by `shift_right`; inside, "
    "position t reads target tokens 0 to t.",
    fails={"a_target_token_counts_at_its_own_position"},
)
def shifted_twice(*sizes, **kwargs):
    """A start token put in front inside the model."""
    return _variant(*sizes, **kwargs, shifted=True)


@transformer.misconception(
    "Dropout should act in training, and there only. Hand `dropout` to the encoder and the "
    "decoder, and leave `training` to Keras.",
    fails={"dropout_acts_in_training_only"},
)
def no_dropout(*sizes, dropout=0.0):
    """The rate is not handed on."""
    return _variant(*sizes, dropout=0.0)


# greedy_decode -----------------------------------------------------------------------------------

WORDS, START, END = 17, 7, 4  # vocabulary and special ids of the models to decode with

greedy = Exercise(
    "greedy_decode",
    points=5,
    signature="greedy_decode(model, source_ids, start_id, end_id, max_length)",
    package="course.m02_transformer.greedy_decode",
    forbids=["course.m02_transformer.greedy_decode"],
    hints=[
        "One loop over max_length steps. In each, run the model on what is written so far, and "
        "write the most likely next token behind it.",
        "The logits at position t predict the token after target position t. With a target that "
        "grows, that is the last position; with a padded one, position t. Remember per row "
        "whether the end has been written: finished |= token == end_id.",
        "Start 1, end 2, tokens 6, 2, 9, 9 by argmax: the row is [6, 2, 0, 0]. The end stays, "
        "what follows is 0, and the start token is not part of it.",
    ],
)


@greedy.oracle
def greedy_decode(model, source_ids, start_id, end_id, max_length):
    """A target that grows by the most likely token."""
    target = np.full((len(source_ids), 1), start_id)
    for _ in range(max_length):
        token = _run(model, source_ids, target)[:, -1].argmax(-1)
        target = np.concatenate([target, token[:, None]], axis=1)
    return _end(target[:, 1:], end_id)


@greedy.case(points=2, hint="Feed each token back: the next one depends on it.")
def each_token_follows_from_the_last(lab, rng):
    """Each token is the most likely one, given the source and the tokens written before."""
    model, ended, never = _decodable(lab, rng)
    source_ids = never[:3]
    expected = greedy_decode(model, source_ids, START, END, 7)
    return equal(lab.greedy_decode(model, source_ids, START, END, 7), expected, "result")


@greedy.case(points=2, hint="Each row ends on its own: remember which rows have ended.")
def rows_end_on_their_own(lab, rng):
    """The end token stays, every id after it is 0, and rows that have not ended go on."""
    model, ended, never = _decodable(lab, rng)
    source_ids = np.stack([ended[1], never[0], ended[3], ended[2], ended[0]])
    expected = greedy_decode(model, source_ids, START, END, 7)
    return equal(lab.greedy_decode(model, source_ids, START, END, 7), expected, "result")


@greedy.case(points=1, hint="The result has max_length columns, also when all rows end early.")
def the_shape_is_always_the_same(lab, rng):
    """The result is (B, max_length), also when every row ends early, and for one row."""
    model, ended, never = _decodable(lab, rng)
    batch = np.stack([ended[2], ended[1], ended[0]])
    found = []
    for source_ids, length in ((batch, 11), (never[:1], 1), (ended[3][None], 5)):
        expected = greedy_decode(model, source_ids, START, END, length)
        got = lab.greedy_decode(model, source_ids, START, END, length)
        found.append(equal(got, expected, "result"))
    return found


@greedy.misconception("The start token is still in your result. Return what comes after it.")
def with_start(model, source_ids, start_id, end_id, max_length):
    """max_length + 1 columns."""
    ids = greedy_decode(model, source_ids, start_id, end_id, max_length)
    return np.concatenate([np.full((len(ids), 1), start_id), ids], axis=1)


@greedy.misconception(
    "The start token is still in your result and takes the place of the last token."
)
def start_in_place_of_the_last(model, source_ids, start_id, end_id, max_length):
    """The start token and max_length - 1 others."""
    return with_start(model, source_ids, start_id, end_id, max_length - 1)


@greedy.misconception("Rows go on after their end token. Put 0 there.")
def beyond_the_end(model, source_ids, start_id, end_id, max_length):
    """The end is not looked for."""
    return greedy_decode(model, source_ids, start_id, -1, max_length)


@greedy.misconception("The end token is missing: it stays in the row, only what follows is 0.")
def without_the_end(model, source_ids, start_id, end_id, max_length):
    """The end token is 0 too."""
    ids = greedy_decode(model, source_ids, start_id, end_id, max_length)
    return np.where(ids == end_id, 0, ids)


@greedy.misconception(
    "You put `end_id` after the end of a row. The end token stands there once; then come zeros."
)
def repeated_end(model, source_ids, start_id, end_id, max_length):
    """Filled up with the end token."""
    ids = greedy_decode(model, source_ids, start_id, end_id, max_length)
    return np.where(np.cumsum(ids == end_id, axis=1) > 0, end_id, ids)


@greedy.misconception("You stop when the first row ends. The others are not finished.")
def stop_at_the_first_end(model, source_ids, start_id, end_id, max_length):
    """One row ends the loop for all."""
    ids = greedy_decode(model, source_ids, start_id, end_id, max_length)
    steps = np.where((ids == end_id).any(0), np.arange(max_length), max_length).min() + 1
    return np.where(np.arange(max_length) < steps, ids, 0)


@greedy.misconception(
    "You stop when one row ends, and return fewer columns. The other rows are not finished, and "
    "the result has max_length columns."
)
def cut_off_at_the_first_end(model, source_ids, start_id, end_id, max_length):
    """One row ends the loop for all, and nothing is filled up."""
    ids = greedy_decode(model, source_ids, start_id, end_id, max_length)
    ends = np.flatnonzero((ids == end_id).any(0))
    return ids[:, : ends[0] + 1] if len(ends) else ids


@greedy.misconception(
    "You stop when the first row ends, and return what all rows hold by then. Each row ends on its "
    "own, and the result has max_length columns."
)
def first_row_decides(model, source_ids, start_id, end_id, max_length):
    """Row 0 ends the loop for all; the others are not looked at."""
    ids = beyond_the_end(model, source_ids, start_id, end_id, max_length)
    ends = np.flatnonzero(ids[0] == end_id)
    return ids[:, : ends[0] + 1] if len(ends) else ids


@greedy.misconception(
    "You stop only at a step where all rows write the end, and forget that rows have ended before. "
    "Remember for each row whether it has ended, and write 0 from then on."
)
def stop_where_all_end_at_once(model, source_ids, start_id, end_id, max_length):
    """No memory of rows that have ended."""
    ids = beyond_the_end(model, source_ids, start_id, end_id, max_length)
    ends = np.flatnonzero((ids == end_id).all(0))
    return ids[:, : ends[0] + 1] if len(ends) else ids


@greedy.misconception("You return fewer columns when all rows end early. Fill up with 0.")
def cut_off(model, source_ids, start_id, end_id, max_length):
    """As many columns as the longest row has tokens."""
    ids = greedy_decode(model, source_ids, start_id, end_id, max_length)
    return ids[:, : (ids != 0).sum(1).max()]


@greedy.misconception(
    "Every step writes the token after the start. Feed the written tokens back to the model, and "
    "read the logits behind the last of them."
)
def nothing_fed_back(model, source_ids, start_id, end_id, max_length):
    """A target of start tokens."""
    target = np.full((len(source_ids), max_length), start_id)
    return _end(_run(model, source_ids, target).argmax(-1), end_id)


@greedy.misconception(
    "You read the logits of the last place of a padded target. At step t, read those of place t."
)
def the_last_place_of_a_padded_target(model, source_ids, start_id, end_id, max_length):
    """The logits behind the padding."""
    target = np.zeros((len(source_ids), max_length + 1), int)
    target[:, 0] = start_id
    for t in range(max_length):
        target[:, t + 1] = _run(model, source_ids, target)[:, -1].argmax(-1)
    return _end(target[:, 1:], end_id)


@greedy.misconception("You take the least likely token. Take the largest logit.")
def least_likely(model, source_ids, start_id, end_id, max_length):
    """The smallest logit."""

    def negative(inputs):
        return -_run(model, *inputs)

    return greedy_decode(negative, source_ids, start_id, end_id, max_length)


@greedy.misconception("You hand the model [target, source]. It takes the source first.")
def swapped_inputs(model, source_ids, start_id, end_id, max_length):
    """Target and source change places."""

    def swapped(inputs):
        return _run(model, *inputs[::-1])

    return greedy_decode(swapped, source_ids, start_id, end_id, max_length)


# Helpers -----------------------------------------------------------------------------------------


def _padded(rng, lengths, vocabulary_size):
    """Draw rows of tokens of the given lengths, with padding up to the first of them."""
    ids = rng.integers(2, vocabulary_size, (len(lengths), lengths[0]))
    return np.where(np.arange(lengths[0]) < np.array(lengths)[:, None], ids, 0)


def _lengths(rng):
    """Draw the lengths of four rows, all different, between 2 and 11."""
    return rng.permutation(np.arange(2, 12))[:4]


def _with_holes(rng, rows, length):
    """Draw rows with padding anywhere: in front of the first one, in the middle of the second."""
    ids = np.where(rng.random((rows, length)) < 0.3, 0, rng.integers(1, 97, (rows, length)))
    ids[0, 0], ids[0, -1] = 0, rng.integers(1, 97)
    ids[1, [0, length // 2, -1]] = *rng.integers(1, 97, 1), 0, *rng.integers(1, 97, 1)
    return ids


def _ids(rng, rows, length):
    return rng.integers(1, V, (rows, length))


def _different_ids(rng, rows, length):
    """Draw rows in which no token comes twice."""
    return rng.permuted(np.tile(np.arange(1, V), (rows, 1)), axis=1)[:, :length]


def _model(lab, *sizes, **kwargs):
    """Build the learner's model, and see that it is one."""
    model = lab.build_transformer(*sizes, **kwargs)
    if model is None:
        raise Mismatch("`build_transformer` returned None. Is a `return` missing?")
    if not isinstance(model, RemoteObject):
        raise Mismatch("`build_transformer` should return a `keras.Model`.")
    return model


def _kept(lab, rng, name, make):
    """Return what one judgement knows under a name; it is made by the first case that asks."""
    known = MODELS.setdefault(lab._transport, {})
    if name not in known:
        known[name] = make()
    rng.integers(2)  # it was drawn, though an earlier case may have done so
    found = known[name]
    for model in (found, getattr(found, "model", None)):
        if isinstance(model, RemoteObject):
            model._lab = lab  # calls are recorded by case
    return found


def _filled(lab, rng):
    """Return the model of one layer with weights of ours."""

    def make():
        model = _model(lab, V, D, F, 1, N)
        _fill(model, _seed(lab, rng))
        _see_that_weights_make_it(model, _Rows.draw(rng))
        return model

    return _kept(lab, rng, "one layer", make)


def _with_two_heads(lab, rng, dropout):
    """Return a model with the same weights as that of `_filled`, cut into two heads."""

    def make():
        model = _model(lab, V, D, F, 1, 2, dropout=dropout)
        _fill(model, _seed(lab, rng))
        return model

    return _kept(lab, rng, f"two heads, {dropout}", make)


def _quiet(lab, rng, dropout):
    """Return what the model of two heads gives twice outside training."""

    def make():
        model, rows = _with_two_heads(lab, rng, dropout), _rows(lab, rng)
        quiet = _twice(model, rows)
        if _difference(*quiet) < CHANGED:
            _see_that_weights_make_it(model, rows)
        return quiet

    return _kept(lab, rng, f"quiet, {dropout}", make)


def _seed(lab, rng):
    return _kept(lab, rng, "seed", lambda: int(rng.integers(2**31)))


def _fill(model, seed):
    rng = np.random.default_rng(seed)
    model.fill(rng, [_ids(rng, 2, 5), _ids(rng, 2, 7)])


def _twice(model, rows, **kwargs):
    """Return the logits of the same examples from two halves of one batch."""
    doubled = (np.concatenate([ids] * 2) for ids in (rows.source, rows.target))
    return np.split(_logits(model, *doubled, **kwargs), 2)


OTHER, TARGETS, SOURCES = slice(1, 2), slice(2, 9), slice(9, 14)  # rows of an example
ROLLED, SWAPPED = slice(14, 15), slice(15, 16)


@dataclass
class _Rows:
    """Three examples, each followed by rows that differ from it in one way.

    Row 0 is the example. All source tokens differ in row 1, one target token in each of rows 2 to
    8, one source token in each of rows 9 to 13; the source is rolled in row 14, and earlier target
    tokens change places in row 15.

    Attributes:
        sources: int array (3, 16, 5).
        targets: int array (3, 16, 7).
        logits: float array (3, 16, 7, V) once a model has seen them.
    """

    sources: np.ndarray
    targets: np.ndarray
    logits: np.ndarray = None

    @classmethod
    def draw(cls, rng):
        """Draw examples in which no token comes twice."""
        source, target = _different_ids(rng, 3, 5), _different_ids(rng, 3, 7)
        sources, targets = np.stack([source] * 16, 1), np.stack([target] * 16, 1)
        sources[:, OTHER] = _other(sources[:, OTHER])
        for rows, place in ((targets[:, TARGETS], 7), (sources[:, SOURCES], 5)):
            at = np.arange(place)
            rows[:, at, at] = _other(rows[:, at, at])
        sources[:, ROLLED] = np.roll(sources[:, ROLLED], 2, axis=-1)
        targets[:, SWAPPED] = targets[:, SWAPPED][..., [3, 0, 2, 1, 4, 5, 6]]
        return cls(sources, targets)

    @property
    def source(self):
        """The sources of the three examples."""
        return self.sources[:, 0]

    @property
    def target(self):
        """The targets of the three examples."""
        return self.targets[:, 0]

    @property
    def inputs(self):
        """All rows as one batch."""
        return self.sources.reshape(-1, 5), self.targets.reshape(-1, 7)

    def seen_by(self, model, values=None):
        """Return the same rows with a model's logits, under other values where some are given."""
        logits = _logits(model, *self.inputs, values=values)
        return replace(self, logits=logits.reshape(*self.targets.shape, V))

    def changes(self, rows):
        """Return how far the logits are from those of row 0: (3, rows, 7), as shares."""
        change = np.abs(self.logits[:, rows] - self.logits[:, :1]).max(-1)
        return change / max(np.abs(self.logits).max(), 1e-9)


def _other(ids):
    return (ids + 3) % (V - 1) + 1


def _rows(lab, rng):
    """Return the rows as the model of one layer sees them."""
    return _kept(lab, rng, "rows", lambda: _Rows.draw(rng).seen_by(_filled(lab, rng)))


def _logits(model, source_ids, target_ids, values=None, **kwargs):
    ids = [source_ids, target_ids]
    logits = model(ids, **kwargs) if values is None else model.often(values, ids)
    expected = (*np.shape(target_ids), V)
    if not isinstance(logits, np.ndarray) or logits.dtype.kind != "f":
        raise Mismatch("The model's output should be one array of logits.")
    if logits.shape != expected:
        raise Mismatch(f"The logits have shape {logits.shape}; they should be {expected}.")
    if not np.isfinite(logits).all():
        raise Mismatch("Some logits are NaN or infinite.")
    return logits.astype("float64")


def _difference(a, b):
    return float(np.abs(a - b).max() / max(np.abs(a).max(), 1e-9))


def _no_change(change, problem):
    return holds(change < CHANGED, "no change", f"a change of {change:.2g}", problem)


def _some_change(change, problem):
    return holds(change > CHANGED, "a change", f"a change of {change:.2g}", problem)


def _no_activation(model, logits, source_ids, target_ids):
    """See that the last map alone makes the logits, by a change of its weights.

    Scaled by -2, a map without activation gives -2 times the logits. Where the logits come from
    the embeddings, a bias is moved; without one, the embeddings grow, and so should the logits.
    """
    variables = model.variables
    shapes = [np.squeeze(value).shape for _, value in variables]
    kernels, biases = ([i for i, s in enumerate(shapes) if s == size] for size in ((D, V), (V,)))
    change, expected = dict.fromkeys(kernels + biases, lambda value: -2 * value), -2 * logits
    if len(kernels) != 1 and len(biases) == 1:
        change, expected = {biases[0]: lambda value: value - 3}, logits - 3
    elif len(kernels) != 1 or len(biases) > 1:
        change, expected = dict.fromkeys(_tables(variables), lambda value: 1000 * value), None
    with model.changed({i: new(variables[i][1]) for i, new in change.items()}):
        found = _logits(model, source_ids, target_ids)
    problem = "The last map's weights do not act on the output as they do without an activation."
    if expected is None:
        large = change and np.abs(found).max() > 20
        return holds(large, "large logits of large weights", "small ones", problem)
    off = _difference(expected, found)
    return holds(off < 1e-4, "logits", f"other values, off by {off:.2g}", problem)


def _tables(variables):
    """Return the places of the variables with a row, or a column, for each token."""
    shapes = [np.squeeze(value).shape for _, value in variables]
    return [i for i, shape in enumerate(shapes) if shape in ((V, D), (D, V))]


def _see_that_weights_make_it(model, rows, values=None):
    """See that the model computes with the weights that it shows.

    Raises:
        Mismatch: without them the logits differ, or know of other tokens than their own.
    """
    nothing = {i: np.zeros_like(value) for i, (_, value) in enumerate(model.variables)}
    with model.changed(nothing):
        spread = np.ptp(rows.seen_by(model, values).logits)
    if spread > 0:
        raise Mismatch(
            "With all weights set to zero, your model gives different logits: some come from "
            "weights that are not among its trainable ones."
        )
    kept = {*_tables(model.variables), *(i for i, value in nothing.items() if value.size <= D)}
    with model.changed({i: value for i, value in nothing.items() if i not in kept}):
        seen = rows.seen_by(model, values)
    # A model that shifts the target itself is wrong in that alone: other cases say so.
    change = seen.changes(TARGETS)
    elsewhere = [np.max(change * ~np.eye(7, k=k, dtype=bool)) for k in (0, 1)]
    if max(min(elsewhere), seen.changes(OTHER).max(), seen.changes(SOURCES).max()) > CHANGED:
        raise Mismatch(
            "With the weights between embeddings and logits set to zero, a token still changes "
            "logits at other positions: something reads it without trainable weights."
        )


@dataclass
class _Deep:
    """What the outputs of the model with three layers say of it.

    A block is a variable that is a matrix, or one layer's part of it: (place, part, size).

    Attributes:
        model: the learner's model, with weights of ours.
        rows: `_Rows` with its logits.
        through: dict from each block of a smallest set that cuts the source off, when all of them
            are zero, to the blocks that act through it alone: they do nothing while all are zero,
            and change logits while this one has its values.
        idle: the blocks that never change a logit.
    """

    model: RemoteObject
    rows: _Rows
    through: dict
    idle: set


def _deep(lab, rng):
    return _kept(lab, rng, "deep", lambda: _looked_into(lab, rng))


def _looked_into(lab, rng):
    """Find by outputs alone what acts in the model of three layers, and through what.

    Where every decoder layer reads the encoder's output, one matrix of each cross-attention has to
    be zero to cut the source off, and through each of them alone the same encoder acts.
    """
    model = _model(lab, V, D, F, DEPTH, N)
    _fill(model, int(rng.integers(2**31)))
    shapes = [value.shape for _, value in model.variables]
    # With these values no attention looks at one place alone: all that acts shows.
    tables, scale = _tables(model.variables), D**-0.5
    spread = [(0, scale) if np.prod(shape) > D else (1, 0.1) for shape in shapes]
    spread = [(0, 1) if i in tables else each for i, each in enumerate(spread)]
    model.assign([rng.normal(*s, size=shape) for s, shape in zip(spread, shapes, strict=True)])
    rows = _Rows.draw(rng)
    _see_that_weights_make_it(model, rows, values={})
    blocks = _blocks(model.variables)
    fresh = {(i, part, n): rng.normal(0, scale, shapes[i])[part] for i, part, n in blocks}

    def seen(zero, new=()):
        values = {}
        for block in (*zero, *new):
            place, part, _ = block
            values.setdefault(place, model.variables[place][1].copy())[part] = (
                fresh[block] if block in new else 0
            )
        return rows.seen_by(model, values)

    def read(zero):
        return seen(zero).changes(OTHER).max() > CHANGED

    def acting(zero, among):
        before = seen(zero).logits
        after = {block: seen(zero, [block]).logits for block in among if block not in zero}
        return {block for block, logits in after.items() if _difference(before, logits) > ACTS}

    between = [block for block in blocks if block[0] not in tables]
    cut = [] if read(between) else _smallest_cut(between, read)
    if 0 < len(cut) < DEPTH:  # one matrix may serve all attentions; each has others of its own
        cut = max(cut, _smallest_cut(between[::-1], read), key=len)
    without = acting(cut, blocks)
    silent = [block for block in blocks if block not in without and block not in cut]
    through = {block: acting([b for b in cut if b != block], silent) for block in cut}
    idle = set(silent).difference(*through.values())
    return _Deep(model, rows.seen_by(model, values={}), through, idle)


def _blocks(variables):
    """Return the matrices, those that hold one for each layer cut into layers."""
    found = []
    for place, (_, value) in enumerate(variables):
        stacked = value.ndim == 3 and len(value) == DEPTH
        parts = range(DEPTH) if stacked else [...] if value.size > D else []
        found += [(place, part, value[part].size) for part in parts]
    return found


def _smallest_cut(blocks, read):
    """Return blocks that cut the source off when all of them are zero, but not when one is not.

    There may be several such sets: the one found tends to lie late among the blocks.

    Args:
        blocks: blocks that cut it off when all are zero.
        read: function that says whether the source changes logits while so many blocks are zero.
    """

    def needed(part, rest):
        """Return those of a part that have to be zero beside the rest."""
        if not read(rest):
            return []
        if len(part) == 1:
            return part
        half = len(part) // 2
        first = needed(part[:half], part[half:] + rest)
        return first + needed(part[half:], first + rest)

    return needed(blocks, [])


def _size(blocks):
    """Count the weights in blocks."""
    return sum(size for _, _, size in blocks)


def _dead(variables, gradients):
    """Return the places of the matrices whose gradients are said to be absent or zero."""
    sizes = [0.0 if g is None else float(np.abs(g).max(initial=0.0)) for g in gradients]
    # A bias of the keys moves all scores of a query alike, so its gradient is zero.
    matrices = [i for i, (_, value) in enumerate(variables) if value.size > D]
    return [i for i in matrices if not sizes[i] > 1e-7 * max(sizes)]


def _off_the_slopes(deep, rng, gradients):
    """Return how far the gradients are from what the outputs do, as a share of their size.

    All weights change at once, each along its gradient and by a share that the learner's side does
    not know.
    """
    variables = deep.model.variables
    change, parts = [np.zeros(value.shape) for _, value in variables], []
    for place, gradient in enumerate(gradients):
        size = 0.0 if gradient is None else np.linalg.norm(gradient)
        if size > 0:
            length = SHARE * rng.uniform(0.5, 1) * rng.choice([-1, 1])
            length *= np.linalg.norm(variables[place][1])
            change[place], parts = length * gradient / size, [*parts, length * size]

    def loss():
        return (deep.rows.seen_by(deep.model, values={}).logits ** 2).sum()

    with outputs(deep.model, loss) as at:
        off = abs(central(at, variables, change) - sum(parts))
    return off / max(np.linalg.norm(parts), 1e-30)


def _sizes(model):
    """Count the model's trainable weights, and those in matrices."""
    sizes = [value.size for _, value in model.variables]
    return sum(sizes), sum(size for size in sizes if size > D)


def _run(model, source_ids, target_ids):
    return np.asarray(model([source_ids, target_ids]))


def _end(ids, end_id):
    """Put 0 after the first `end_id` of each row."""
    ended = np.cumsum(ids == end_id, axis=1) - (ids == end_id) > 0
    return np.where(ended, 0, ids)


def _decodable(lab, rng):
    """Return a model with known tables, and sources sorted by when their row ends.

    Returns:
        model: a stock Markov model: the next token depends on the last one and on the source.
        ended: four sources; what they write ends at different steps before 6, later and later.
        never: sources whose rows do not end within 11 steps.
    """
    tokens = np.arange(1, WORDS)
    sources = np.stack(np.meshgrid(tokens, tokens), -1).reshape(-1, 2)
    model = lab.stock("markov_model", vocabulary_size=WORDS)
    while True:
        # Whole numbers, and even ones where two are averaged: rounding never decides.
        source_bias, next_token = rng.integers(-40, 41, (2, WORDS, WORDS)).astype("float32")
        next_token[:, [0, START]] -= 200
        next_token[:, END] += 20
        model.arrays = [2 * source_bias, next_token]
        ids, sure = _paths(model, sources, 11)
        first = np.where((ids == END).any(1), (ids == END).argmax(1), 11)
        steps = np.unique(first[sure & (first < 6)])[:4]
        never = np.flatnonzero(sure & (first == 11))
        if len(never) >= 3 and len(steps) == 4:
            break
    model.set_variables(model.arrays)
    ended = [sources[rng.choice(np.flatnonzero(sure & (first == step)))] for step in steps]
    return model, ended, sources[rng.permutation(never)]


def _paths(model, sources, length):
    """Decode all sources; also say where the best logit leads by 1 or more at every step."""
    target, sure = np.full((len(sources), 1), START), np.ones(len(sources), bool)
    for _ in range(length):
        logits = model([sources, target[:, -1:]])[:, 0]
        token = logits.argmax(-1)
        second, first = np.partition(logits, -2, axis=-1)[:, -2:].T
        sure &= (target == END).any(1) | (first - second >= 1)
        target = np.concatenate([target, token[:, None]], axis=1)
    return target[:, 1:], sure
