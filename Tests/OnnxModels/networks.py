"""Networks that torchvision lacks, at sizes that convert in a second or two."""

from __future__ import annotations

from typing import Any

import torch
import transformers
from torch import Tensor, nn

FEATURES = 12
VOCABULARY = 200


def lstm() -> nn.Module:
    return nn.LSTM(FEATURES, 16, num_layers=2, bidirectional=True)


def gru() -> nn.Module:
    return nn.GRU(FEATURES, 16, num_layers=2, bidirectional=True)


class _FirstOutput(nn.Module):
    """A transformer that takes token numbers and a mask, and gives its first output alone."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Any:
        return self.model(input_ids=input_ids, attention_mask=attention_mask, return_dict=False)[0]


def bert() -> nn.Module:
    config = transformers.BertConfig(
        vocab_size=VOCABULARY, hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128
    )
    return _FirstOutput(transformers.BertModel(config))


def distilbert() -> nn.Module:
    config = transformers.DistilBertConfig(vocab_size=VOCABULARY, dim=64, n_layers=2, n_heads=4, hidden_dim=128)
    return _FirstOutput(transformers.DistilBertModel(config))


def gpt2() -> nn.Module:
    config = transformers.GPT2Config(
        vocab_size=VOCABULARY, n_embd=64, n_layer=2, n_head=4, n_positions=64, use_cache=False, bos_token_id=0,
        eos_token_id=0,
    )  # fmt: skip
    return _FirstOutput(transformers.GPT2LMHeadModel(config))


class _Block(nn.Sequential):
    """Convolution, batch normalization, ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class UNet(nn.Module):
    """Three levels down and up, by transposed convolutions and by bilinear interpolation; one class a pixel."""

    def __init__(self, classes: int = 4) -> None:
        super().__init__()
        self.first = nn.Sequential(_Block(3, 16), _Block(16, 16))
        self.second = nn.Sequential(nn.MaxPool2d(2), _Block(16, 32), _Block(32, 32))
        self.third = nn.Sequential(nn.MaxPool2d(2), _Block(32, 64), _Block(64, 64))
        self.up = nn.ConvTranspose2d(64, 32, 2, stride=2)
        self.fourth = nn.Sequential(_Block(64, 32), _Block(32, 32))
        self.fifth = nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), _Block(32, 16))
        self.last = nn.Sequential(_Block(32, 16), nn.Conv2d(16, classes, 1))

    def forward(self, image: Tensor) -> Tensor:
        a = self.first(image)
        b = self.second(a)
        c = self.fourth(torch.cat([self.up(self.third(b)), b], 1))
        return self.last(torch.cat([self.fifth(c), a], 1))


class Detector(nn.Module):
    """A single-shot detector: two feature maps, a class and a box for each anchor, non-maximum suppression of the best;
    of one image, the first."""

    CLASSES, ANCHORS, CANDIDATES = 5, 3, 100

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(_Block(3, 16, 2), _Block(16, 32, 2), _Block(32, 64, 2))
        self.down = _Block(64, 96, 2)
        heads = {"scores": self.CLASSES, "boxes": 4}
        self.heads = nn.ModuleList(
            nn.ModuleDict({name: nn.Conv2d(width, self.ANCHORS * size, 3, padding=1) for name, size in heads.items()})
            for width in (64, 96)
        )
        self.register_buffer("anchors", torch.cat([self._anchors(16, (12, 20, 28)), self._anchors(8, (32, 48, 64))]))

    @classmethod
    def _anchors(cls, cells: int, sizes: tuple[int, ...]) -> Tensor:
        """Center and size of each anchor, [cells·cells·anchors, 4], of an image of 128 pixels."""
        center = (torch.arange(cells) + 0.5) * 128 / cells
        y, x, size = torch.meshgrid(center, center, torch.tensor(sizes, dtype=torch.float32), indexing="ij")
        return torch.stack([x, y, size, size], -1).reshape(-1, 4)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        shallow = self.stem(image)
        scores, boxes = [], []
        for feature, head in zip((shallow, self.down(shallow)), self.heads):
            scores.append(head["scores"](feature).permute(0, 2, 3, 1)[0].reshape(-1, self.CLASSES))
            boxes.append(head["boxes"](feature).permute(0, 2, 3, 1)[0].reshape(-1, 4))
        best, label = torch.cat(scores).softmax(-1)[:, 1:].max(-1)
        score, order = best.topk(self.CANDIDATES)
        box, label = self._decoded(torch.cat(boxes))[order], label[order]
        kept = torch.ops.torchvision.nms(box, score, 0.5)
        return box[kept], score[kept], label[kept]

    def _decoded(self, offsets: Tensor) -> Tensor:
        """Corners, from offsets of the centers in sizes of the anchors and logarithms of the sizes."""
        center = self.anchors[:, :2] + 0.1 * offsets[:, :2] * self.anchors[:, 2:]
        half = 0.5 * self.anchors[:, 2:] * torch.exp(0.2 * offsets[:, 2:])
        return torch.cat([center - half, center + half], -1)
