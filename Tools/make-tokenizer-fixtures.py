#!/usr/bin/env python3
"""Writes small tokenizers and what Hugging Face's library makes of some texts.

usage: make-tokenizer-fixtures.py FOLDER        (needs tokenizers)
"""
import json
import pathlib
import sys

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

folder = pathlib.Path(sys.argv[1])
TEXTS = [
    "The quick brown fox jumps over the lazy dog.",
    "Unbelievable! It's 12 o'clock,  isn't it?\n\n  Tabs\tand\u00a0spaces ",
    "Crème brûlée für Ångström – naïve façade",
    "東京は日本の首都です。 한국어 и русский",
    "emoji 👩‍👩‍👧 🇩🇪 and e\u0301 combining; ΟΔΟΣ İstanbul ß ﬁ",
    "x=3.14*(y-2)/z^2 <html> #tag @user $5 50%",
    "[MASK] is <|endoftext|> special [CLS]",
    "", " ", "a" * 120, "zero\u200bwidth \x07 control \ufffd",
]
CORPUS = TEXTS * 3 + [
    "The dog is lazy and the fox is quick.", "Brown foxes jump quickly over lazy dogs.",
    "Believe it or not, it is unbelievable.", "Spaces and tabs, clocks and dogs."]


def save(name, tokenizer):
    path = folder / f"{name}.json"
    tokenizer.save(str(path), pretty=False)
    expected = []
    for text in TEXTS:
        encoding = tokenizer.encode(text)
        expected.append({"text": text, "ids": encoding.ids,
                         "decoded": tokenizer.decode(encoding.ids, skip_special_tokens=False)})
    (folder / f"{name}_expected.json").write_text(json.dumps(expected))


pieces = Tokenizer(models.WordPiece(unk_token="[UNK]"))
pieces.normalizer = normalizers.BertNormalizer(lowercase=True)
pieces.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
pieces.train_from_iterator(CORPUS, trainers.WordPieceTrainer(
    vocab_size=400, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]))
pieces.post_processor = processors.TemplateProcessing(
    single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
    special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
pieces.decoder = decoders.WordPiece(cleanup=False)
save("wordpiece", pieces)

pairs = Tokenizer(models.BPE())
pairs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
pairs.decoder = decoders.ByteLevel()
pairs.train_from_iterator(CORPUS, trainers.BpeTrainer(
    vocab_size=500, special_tokens=["<|endoftext|>"],
    initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
save("bpe", pairs)
