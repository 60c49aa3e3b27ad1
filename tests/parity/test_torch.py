"""The same weights in PyTorch's and Hugging Face's layers give the same output, to 1e-5."""

import keras
import numpy as np
import pytest

from course import m02_transformer as m02
from tests.contract import close, fill, numpy

pytestmark = pytest.mark.parity

B, T, S, N, H, F, K = 2, 5, 7, 3, 14, 13, 2
D = N * H
rng = np.random.default_rng(0)
x = rng.normal(size=(B, T, D)).astype("float32")
memory = rng.normal(size=(B, S, D)).astype("float32")
heads = rng.normal(size=(B, N, T, H)).astype("float32")
padding = np.arange(T) < np.array([[3], [5]])
memory_padding = np.arange(S) < np.array([[7], [4]])


@pytest.fixture(scope="module")
def torch():
    """Import here: a missing PyTorch is an error of these tests, not a skip."""
    import torch

    with torch.no_grad():
        yield torch


def built(layer, *inputs):
    """Build by a call and give every weight seeded values."""
    layer(*inputs)
    fill(layer)
    return layer


def copy_dense(torch, ours, theirs):
    """PyTorch keeps kernels as (outputs, inputs)."""
    kernel, bias = (torch.tensor(w) for w in ours.get_weights())
    theirs.weight.copy_(kernel.T)
    theirs.bias.copy_(bias)


def copy_norm(torch, ours, theirs):
    """Gamma is called weight, beta bias."""
    gamma, beta = (torch.tensor(w) for w in ours.get_weights())
    theirs.weight.copy_(gamma)
    theirs.bias.copy_(beta)


def copy_attention(torch, ours, theirs):
    """PyTorch stacks the three input projections."""
    dense = [getattr(ours, f"{name}_dense").get_weights() for name in ("query", "key", "value")]
    theirs.in_proj_weight.copy_(torch.tensor(np.concatenate([kernel.T for kernel, _ in dense])))
    theirs.in_proj_bias.copy_(torch.tensor(np.concatenate([bias for _, bias in dense])))
    copy_dense(torch, ours.output_dense, theirs.out_proj)


def copy_block(torch, ours, theirs, attentions, norms):
    """Copy a layer of the transformer, sublayer by sublayer."""
    for our_name, their_name in attentions.items():
        copy_attention(torch, getattr(ours, our_name), getattr(theirs, their_name))
    for name in norms:
        copy_norm(torch, getattr(ours, name), getattr(theirs, name))
    copy_dense(torch, ours.feed_forward.intermediate_dense, theirs.linear1)
    copy_dense(torch, ours.feed_forward.output_dense, theirs.linear2)


def test_multi_head_attention(torch):
    """Output and weights per head; PyTorch's masks are True where hidden."""
    ours = built(m02.MultiHeadAttention(D, N), x, memory)
    theirs = torch.nn.MultiheadAttention(D, N, batch_first=True).eval()
    copy_attention(torch, ours, theirs)
    q, v = torch.tensor(x), torch.tensor(memory)
    hidden = torch.tensor(~memory_padding)
    expected = theirs(q, v, v, key_padding_mask=hidden, average_attn_weights=False)
    mask = memory_padding[:, None, :]
    got = ours(x, memory, attention_mask=mask, return_attention_scores=True)
    for a, b in zip(got, expected, strict=True):
        close(numpy(a), b.numpy())


def test_layer_normalization(torch):
    """Input small enough for epsilon to matter."""
    small = x * 1e-3
    ours = built(m02.LayerNormalization(), small)
    theirs = torch.nn.LayerNorm(D, eps=1e-6)
    copy_norm(torch, ours, theirs)
    close(numpy(ours(small)), theirs(torch.tensor(small)).numpy())


@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("pre_norm", [False, True])
def test_encoder_layer(torch, pre_norm, activation):
    """`torch.nn.TransformerEncoderLayer`, with padding."""
    ours = built(m02.TransformerEncoderLayer(F, N, pre_norm=pre_norm, activation=activation), x)
    options = {"batch_first": True, "norm_first": pre_norm, "layer_norm_eps": 1e-6}
    theirs = torch.nn.TransformerEncoderLayer(D, N, F, activation=activation, **options).eval()
    copy_block(torch, ours, theirs, {"attention": "self_attn"}, ("norm1", "norm2"))
    # With gradients on, PyTorch takes the plain path, which keeps padded rows.
    with torch.enable_grad():
        expected = theirs(torch.tensor(x), src_key_padding_mask=torch.tensor(~padding))
    close(numpy(ours(x, padding_mask=padding)), expected.detach().numpy())


@pytest.mark.parametrize("pre_norm", [False, True])
def test_decoder_layer(torch, pre_norm):
    """`torch.nn.TransformerDecoderLayer`, causal, with padding on both sides."""
    ours = built(m02.TransformerDecoderLayer(F, N, pre_norm=pre_norm), x, memory)
    options = {"batch_first": True, "norm_first": pre_norm, "layer_norm_eps": 1e-6}
    theirs = torch.nn.TransformerDecoderLayer(D, N, F, **options).eval()
    attentions = {"self_attention": "self_attn", "cross_attention": "multihead_attn"}
    copy_block(torch, ours, theirs, attentions, ("norm1", "norm2", "norm3"))
    expected = theirs(
        torch.tensor(x),
        torch.tensor(memory),
        tgt_mask=torch.tensor(~np.tril(np.ones((T, T), bool))),
        tgt_key_padding_mask=torch.tensor(~padding),
        memory_key_padding_mask=torch.tensor(~memory_padding),
    )
    got = ours(x, memory, padding_mask=padding, memory_padding_mask=memory_padding)
    close(numpy(got), expected.numpy())


@pytest.mark.parametrize("hidden_dim", [11, 14])
def test_sinusoids(torch, hidden_dim):
    """Marian puts all sines first and all cosines after them."""
    from transformers.models.marian.modeling_marian import MarianSinusoidalPositionalEmbedding

    theirs = MarianSinusoidalPositionalEmbedding(101, hidden_dim).create_weight().numpy()
    ours = numpy(m02.sinusoidal_encoding(101, hidden_dim))
    close(np.concatenate([ours[:, 0::2], ours[:, 1::2]], axis=1), theirs)


def test_rotary(torch):
    """LLaMA pairs feature i with i + H/2 too."""
    from transformers import LlamaConfig
    from transformers.models.llama import modeling_llama as llama

    config = LlamaConfig(hidden_size=D, num_attention_heads=N, max_position_embeddings=101)
    positions = torch.arange(17, 17 + T)[None]
    query, key = torch.tensor(heads), torch.tensor(heads[::-1].copy())
    cos, sin = llama.LlamaRotaryEmbedding(config)(query, positions)
    expected = llama.apply_rotary_pos_emb(query, key, cos, sin)
    layer = m02.RotaryEmbedding()
    for ours, theirs in zip((query, key), expected, strict=True):
        got = layer(ours.numpy(), positions=np.arange(17, 17 + T))
        close(numpy(got), theirs.numpy())


@pytest.mark.parametrize("num_heads", [3, 8, 12])
def test_alibi(torch, num_heads):
    """Bloom's bias counts from the first key: after a causal softmax, the same weights."""
    from transformers.models.bloom.modeling_bloom import build_alibi_tensor

    theirs = build_alibi_tensor(torch.ones(1, T), num_heads, torch.float32).numpy()
    scores = rng.normal(size=(1, num_heads, T, T)).astype("float32")
    mask = m02.causal_mask(T)
    expected = m02.masked_softmax(scores + theirs[None], mask)
    close(numpy(m02.masked_softmax(m02.ALiBi()(scores), mask)), numpy(expected))


def test_relative_keys(torch):
    """Wav2Vec2-BERT's "relative_key" is Shaw's attention without the part for values."""
    from transformers import Wav2Vec2BertConfig
    from transformers.models.wav2vec2_bert.modeling_wav2vec2_bert import Wav2Vec2BertSelfAttention

    ours = built(m02.RelativeSelfAttention(D, N, max_distance=K), x)
    ours.value_table.assign(np.zeros(ours.value_table.shape))
    config = Wav2Vec2BertConfig(
        hidden_size=D,
        num_attention_heads=N,
        position_embeddings_type="relative_key",
        left_max_position_embeddings=K,
        right_max_position_embeddings=K,
        attn_implementation="eager",
    )
    theirs = Wav2Vec2BertSelfAttention(config).eval()
    names = {"query": "linear_q", "key": "linear_k", "value": "linear_v", "output": "linear_out"}
    for our_name, their_name in names.items():
        copy_dense(torch, getattr(ours, f"{our_name}_dense"), getattr(theirs, their_name))
    theirs.distance_embedding.weight.copy_(torch.tensor(numpy(ours.key_table.value)))
    expected, _ = theirs(torch.tensor(x))
    close(numpy(ours(x)), expected.numpy())


@pytest.mark.parametrize("name", ["base", "big"])
def test_body_has_the_size_of_torch_transformer(torch, name):
    """`torch.nn.Transformer` adds a final norm to each of its post-norm stacks."""
    c = m02.CONFIGURATIONS[name]
    sizes = [c[k] for k in ("hidden_dim", "num_heads", "num_layers", "num_layers")]
    with torch.device("meta"):
        theirs = torch.nn.Transformer(*sizes, c["intermediate_dim"], batch_first=True)
    count = sum(parameter.numel() for parameter in theirs.parameters())
    with keras.StatelessScope(initialize_variables=False):
        model = m02.build_transformer(37_000, **c)
        body = sum(model.get_layer(part).count_params() for part in ("encoder", "decoder"))
    keras.utils.clear_session()
    assert count == body + 2 * 2 * c["hidden_dim"]
