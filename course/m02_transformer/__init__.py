"""Module 2: the transformer, layer by layer (Vaswani et al., 2017)."""

from course.m02_transformer.alibi import ALiBi, alibi_bias, alibi_slopes
from course.m02_transformer.blocks import decoder_block, encoder_block
from course.m02_transformer.build_transformer import CONFIGURATIONS, build_transformer
from course.m02_transformer.feed_forward import FeedForward
from course.m02_transformer.greedy_decode import greedy_decode
from course.m02_transformer.heads import merge_heads, split_heads
from course.m02_transformer.layer_normalization import LayerNormalization, layer_norm
from course.m02_transformer.learned_positional_embedding import LearnedPositionalEmbedding
from course.m02_transformer.masks import (
    causal_mask,
    combine_masks,
    cross_mask,
    decoder_mask,
    padding_mask,
)
from course.m02_transformer.multi_head_attention import MultiHeadAttention
from course.m02_transformer.relative_self_attention import RelativeSelfAttention
from course.m02_transformer.rotary_embedding import RotaryEmbedding, rotate
from course.m02_transformer.scaled_dot_product_attention import (
    attend,
    attention_scores,
    masked_softmax,
    scaled_dot_product_attention,
)
from course.m02_transformer.sinusoidal_positional_encoding import (
    SinusoidalPositionalEncoding,
    encode_positions,
    sinusoidal_encoding,
)
from course.m02_transformer.targets import shift_right
from course.m02_transformer.transformer_decoder import TransformerDecoder
from course.m02_transformer.transformer_decoder_layer import TransformerDecoderLayer
from course.m02_transformer.transformer_encoder import TransformerEncoder
from course.m02_transformer.transformer_encoder_layer import TransformerEncoderLayer

__all__ = [
    "CONFIGURATIONS",
    "ALiBi",
    "FeedForward",
    "LayerNormalization",
    "LearnedPositionalEmbedding",
    "MultiHeadAttention",
    "RelativeSelfAttention",
    "RotaryEmbedding",
    "SinusoidalPositionalEncoding",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
    "alibi_bias",
    "alibi_slopes",
    "attend",
    "attention_scores",
    "build_transformer",
    "causal_mask",
    "combine_masks",
    "cross_mask",
    "decoder_block",
    "decoder_mask",
    "encode_positions",
    "encoder_block",
    "greedy_decode",
    "layer_norm",
    "masked_softmax",
    "merge_heads",
    "padding_mask",
    "rotate",
    "scaled_dot_product_attention",
    "shift_right",
    "sinusoidal_encoding",
    "split_heads",
]
