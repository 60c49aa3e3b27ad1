"""Module 3: attention, from alignment to heads (Bahdanau et al., 2015, and after)."""

from course.m03_attention.additive_attention import AdditiveAttention
from course.m03_attention.attention_decoder import AttentionDecoder
from course.m03_attention.attention_layers import (
    around_attention,
    attention_layers,
    attention_maps,
    head_masks,
)
from course.m03_attention.attention_pooling import attention_pooling
from course.m03_attention.attention_rollout import attention_rollout
from course.m03_attention.build_attention_seq2seq import (
    build_attention_seq2seq,
    build_attention_step_models,
    greedy_align,
)
from course.m03_attention.error_analysis import (
    confusion_by_slice,
    erasure_effect,
    rank_agreement,
)
from course.m03_attention.explorer import AttentionExplorer
from course.m03_attention.group_query_attention import (
    GroupQueryAttention,
    group_query_attention,
)
from course.m03_attention.hand_made_attention import hand_made_attention, model_attention
from course.m03_attention.head_ablation import (
    ablation,
    prune_heads_one_by_one,
    score_without,
)
from course.m03_attention.head_contributions import head_contributions, importance_per_head
from course.m03_attention.head_importance import head_importance
from course.m03_attention.induction_head import build_induction_heads, induction_head_weights
from course.m03_attention.lookup import lookup, lookup_weights
from course.m03_attention.luong_attention import LuongAttention
from course.m03_attention.online_softmax_attention import (
    online_softmax_attention,
    online_softmax_step,
)
from course.m03_attention.scores import (
    additive_score,
    concat_score,
    dot_score,
    general_score,
    scaled_dot_score,
)

__all__ = [
    "AdditiveAttention",
    "AttentionDecoder",
    "AttentionExplorer",
    "GroupQueryAttention",
    "LuongAttention",
    "ablation",
    "additive_score",
    "around_attention",
    "attention_layers",
    "attention_maps",
    "attention_pooling",
    "attention_rollout",
    "build_attention_seq2seq",
    "build_attention_step_models",
    "build_induction_heads",
    "concat_score",
    "confusion_by_slice",
    "dot_score",
    "erasure_effect",
    "general_score",
    "greedy_align",
    "group_query_attention",
    "hand_made_attention",
    "head_contributions",
    "head_importance",
    "head_masks",
    "importance_per_head",
    "induction_head_weights",
    "lookup",
    "lookup_weights",
    "model_attention",
    "online_softmax_attention",
    "online_softmax_step",
    "prune_heads_one_by_one",
    "rank_agreement",
    "scaled_dot_score",
    "score_without",
]
