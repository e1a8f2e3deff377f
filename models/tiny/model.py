# SPDX-License-Identifier: MIT
"""The small CLIP: OpenAI's architecture and tensor names at a small size, and its vocabulary."""
import clip.model
import clip.simple_tokenizer
import torch
from torch import nn

VOCAB_SIZE = 4096
CONTEXT = 77
CONFIG = dict(embed_dim=256, image_resolution=64, vision_layers=7, vision_width=192,
              vision_patch_size=8, context_length=CONTEXT, vocab_size=VOCAB_SIZE,
              transformer_width=192, transformer_heads=3, transformer_layers=3)


class Tokenizer(clip.simple_tokenizer.SimpleTokenizer):
    """CLIP's tokenizer cut to its first merges: 512 byte symbols, merges, start, end."""

    def __init__(self, vocab_size=VOCAB_SIZE):
        super().__init__()
        merges = sorted(self.bpe_ranks, key=self.bpe_ranks.get)[:vocab_size - 514]
        vocabulary = [s for s, i in sorted(self.encoder.items(), key=lambda p: p[1]) if i < 512]
        vocabulary += ["".join(m) for m in merges] + ["<|startoftext|>", "<|endoftext|>"]
        self.encoder = {s: i for i, s in enumerate(vocabulary)}
        self.decoder = {i: s for s, i in self.encoder.items()}
        self.bpe_ranks = {m: i for i, m in enumerate(merges)}
        self.cache = {"<|startoftext|>": "<|startoftext|>", "<|endoftext|>": "<|endoftext|>"}
        self.start, self.end = vocab_size - 2, vocab_size - 1


def run_blocks(blocks, x, mask):
    """The residual attention blocks, batch first."""
    for block in blocks:
        y = block.ln_1(x)
        y = nn.functional.linear(y, block.attn.in_proj_weight, block.attn.in_proj_bias)
        q, k, v = y.chunk(3, -1)
        heads = block.attn.num_heads
        q, k, v = (t.unflatten(-1, (heads, -1)).transpose(1, 2) for t in (q, k, v))
        y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=mask)
        x = x + block.attn.out_proj(y.transpose(1, 2).flatten(2))
        y = block.mlp.c_fc(block.ln_2(x))
        x = x + block.mlp.c_proj(y * torch.sigmoid(1.702 * y))
    return x


class SmallCLIP(clip.model.CLIP):
    """The original with two savings for training: dropped patches, texts cut to their longest."""

    def encode_image(self, image, keep=1.0):
        visual = self.visual
        x = visual.conv1(image).flatten(2).transpose(1, 2)
        x = x + visual.positional_embedding[1:]
        if keep < 1.0:  # the same number of patches of each picture, drawn at random
            count = int(x.shape[1] * keep)
            order = torch.rand(x.shape[:2]).argsort(1)[:, :count]
            x = x.gather(1, order[..., None].expand(-1, -1, x.shape[2]))
        first = (visual.class_embedding + visual.positional_embedding[0]).expand(len(x), 1, -1)
        x = visual.ln_pre(torch.cat([first.to(x.dtype), x], 1))
        x = run_blocks(visual.transformer.resblocks, x, False)
        return visual.ln_post(x[:, 0]) @ visual.proj

    def encode_text(self, text):
        x = self.token_embedding(text) + self.positional_embedding[:text.shape[1]]
        x = run_blocks(self.transformer.resblocks, x, True)
        x = x[torch.arange(len(x)), text.argmax(-1)]
        return self.ln_final(x) @ self.text_projection


def make_model():
    return SmallCLIP(**CONFIG)
