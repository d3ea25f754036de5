#!/usr/bin/env python3
"""Writes Sources/CKernels/vector/tables.c: 2^(j/32), and the polynomials of tanh and of Mills' ratio over √2π.

    python3 -m venv build/tables-venv && build/tables-venv/bin/pip install mpmath
    build/tables-venv/bin/python scripts/activation-tables.py

Each interval has a point of expansion and a polynomial of degree 5 there, minimax in the relative error (Remez), its coefficients
rounded to f32. An entry stands at its key modulo 32, as tables.h says.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Callable

from mpmath import mp

mp.prec = 150
TABLES = Path(__file__).resolve().parents[1] / "Sources" / "CKernels" / "vector" / "tables.c"
DEGREE, ENTRIES, WIDTH = 5, 32, 119
Function = Callable[[mp.mpf], mp.mpf]
Rows = list[list[float]]


def rounded(x: mp.mpf) -> float:
    return struct.unpack("f", struct.pack("f", float(x)))[0]


def minimax(f: Function, low: mp.mpf, high: mp.mpf, centre: mp.mpf, degree: int, weight: Function) -> list[mp.mpf]:
    """The polynomial in x − centre whose error, times a weight, is least at its greatest, by Remez's exchange."""
    count = degree + 2
    points = [(low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * k / (count - 1)) for k in range(count)]
    grid = [low + (high - low) * mp.mpf(k) / (40 * count) for k in range(40 * count + 1)]
    for _ in range(8):
        matrix, right = mp.matrix(count, count), mp.matrix(count, 1)
        for i, x in enumerate(points):
            for j in range(degree + 1):
                matrix[i, j] = (x - centre) ** j * weight(x)
            matrix[i, degree + 1] = (-1) ** i
            right[i] = f(x) * weight(x)
        c = mp.lu_solve(matrix, right)
        errors = [(sum(c[j] * (x - centre) ** j for j in range(degree + 1)) - f(x)) * weight(x) for x in grid]
        runs = [[0]]
        for k in range(1, len(grid)):
            if (errors[k] > 0) == (errors[runs[-1][0]] > 0):
                runs[-1].append(k)
            else:
                runs.append([k])
        peaks = [max(run, key=lambda k: abs(errors[k])) for run in runs]
        if len(peaks) < count:
            break
        while len(peaks) > count:
            peaks = peaks[1:] if abs(errors[peaks[0]]) < abs(errors[peaks[-1]]) else peaks[:-1]
        points = [grid[k] for k in peaks]
    return list(c[: degree + 1])


def place(rows: Rows, key: int, centre: mp.mpf, coefficients: list[mp.mpf]) -> None:
    for row, value in zip(rows, [centre, *coefficients]):
        row[key % ENTRIES] = rounded(value)


def mills() -> Rows:
    """e^(a²/2)·Φ(−a) on the eighths of octaves of 1 + a from 1 to 16."""
    def ratio(a: mp.mpf) -> mp.mpf:
        return mp.e ** (a * a / 2) * mp.erfc(a / mp.sqrt(2)) / 2

    rows = [[0.0] * ENTRIES for _ in range(DEGREE + 2)]
    for i in range(ENTRIES):
        octave, eighth = divmod(i, 8)
        low, width = mp.mpf(2) ** octave * (1 + mp.mpf(eighth) / 8) - 1, mp.mpf(2) ** octave / 8
        centre = low + width / 2
        place(rows, (0x3F800000 >> 20) + i, centre, minimax(ratio, low, low + width, centre, DEGREE, lambda a: 1 / ratio(a)))
    return rows


def tanh() -> Rows:
    """Below 1/8 a + a³·q(a); above, up to 10, on the quarters of octaves."""
    rows = [[0.0] * ENTRIES for _ in range(DEGREE + 2)]
    first = (0x3E000000 >> 21) - 1
    least = minimax(
        lambda a: (mp.tanh(a) - a) / a**3, mp.mpf(2) ** -30, mp.mpf(1) / 8, mp.mpf(0), DEGREE - 3, lambda a: a**2)
    place(rows, first, mp.mpf(0), [mp.mpf(0), mp.mpf(1), mp.mpf(0), *least])
    for i in range(25):
        octave, quarter = divmod(i, 4)
        start = mp.mpf(2) ** (octave - 3)
        low = start * (1 + mp.mpf(quarter) / 4)
        high = low + start / 4
        centre = (low + high) / 2
        place(rows, first + 1 + i, centre, minimax(mp.tanh, low, high, centre, DEGREE, lambda a: mp.mpf(1)))
    return rows


def hexadecimal(x: float) -> str:
    mantissa, exponent = x.hex().split("p")
    return f"{mantissa.rstrip('0').rstrip('.')}p{exponent}f" if x else "0"


def lines(row: list[float]) -> str:
    done, line = [], "    {"
    for i, x in enumerate(row):
        word = hexadecimal(x) + (", " if i < len(row) - 1 else "}")
        if len(line) + len(word) > WIDTH - (i == len(row) - 1):
            done.append(line.rstrip())
            line = "     "
        line += word
    return "\n".join([*done, line])


def main() -> None:
    power = [rounded(mp.mpf(2) ** (mp.mpf(j) / ENTRIES)) for j in range(ENTRIES)]
    declare = "__attribute__((aligned(64))) const float ck_"
    text = '/* Tables of exponential_avx512.h, by scripts/activation-tables.py. Rows of 32 for v_pick. */\n#include "tables.h"\n'
    bare = lines(power).replace("    {", "    ", 1).replace("\n     ", "\n    ")
    text += f"\n{declare}power_table[{ENTRIES}] = {{\n{bare};\n"
    for name, rows in (("tanh", tanh()), ("mills", mills())):
        text += f"\n{declare}{name}_table[{len(rows)}][{ENTRIES}] = {{\n" + ",\n".join(map(lines, rows)) + "};\n"
    TABLES.write_text(text)


if __name__ == "__main__":
    main()
