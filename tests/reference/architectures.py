# SPDX-License-Identifier: MIT
"""The sizes of OpenAI's nine architectures, as the reference's clip.model.CLIP takes them.

What full_size.py and bench/ share.
"""
TEXT = dict(context_length=77, vocab_size=49408)
TEXT_512 = dict(TEXT, transformer_width=512, transformer_heads=8, transformer_layers=12)
TEXT_640 = dict(TEXT, transformer_width=640, transformer_heads=10, transformer_layers=12)
TEXT_768 = dict(TEXT, transformer_width=768, transformer_heads=12, transformer_layers=12)
TEXT_1024 = dict(TEXT, transformer_width=1024, transformer_heads=16, transformer_layers=12)


def sizes(embed_dim, image, layers, width, patch, text):
    return dict(embed_dim=embed_dim, image_resolution=image, vision_layers=layers,
                vision_width=width, vision_patch_size=patch, **text)


SIZES = {
    "RN50": sizes(1024, 224, (3, 4, 6, 3), 64, None, TEXT_512),
    "RN101": sizes(512, 224, (3, 4, 23, 3), 64, None, TEXT_512),
    "RN50x4": sizes(640, 288, (4, 6, 10, 6), 80, None, TEXT_640),
    "RN50x16": sizes(768, 384, (6, 8, 18, 8), 96, None, TEXT_768),
    "RN50x64": sizes(1024, 448, (3, 15, 36, 10), 128, None, TEXT_1024),
    "ViT-B/32": sizes(512, 224, 12, 768, 32, TEXT_512),
    "ViT-B/16": sizes(512, 224, 12, 768, 16, TEXT_512),
    "ViT-L/14": sizes(768, 224, 24, 1024, 14, TEXT_768),
    "ViT-L/14@336px": sizes(768, 336, 24, 1024, 14, TEXT_768),
}
