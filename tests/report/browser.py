#!/usr/bin/env python3
"""Opens Glia's reports in Chromium, light, dark and on paper. Usage: browser.py GLIA [FOLDER]

With FOLDER the screenshots and PDFs stay there, to be looked at. Exits with 77 (skipped) where
Chromium is missing.
"""
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

# What a page must show at its first pixel, and the browser's names for the preferences.
SCHEMES = {"light": ((255, 255, 255), 1), "dark": ((22, 24, 29), 0)}
WIDTH, HEIGHT = 1000, 900


def glia(*arguments):
    found = subprocess.run([sys.argv[1], *arguments], capture_output=True, text=True)
    assert found.returncode == 0, f"glia {' '.join(arguments)}:\n{found.stdout}{found.stderr}"


def browse(browser, profile, page, *flags):
    """Runs the browser on a file, with no name server to ask; returns its standard output."""
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
               "--disable-dev-shm-usage", f"--user-data-dir={profile}", "--enable-logging=stderr",
               "--host-resolver-rules=MAP * ~NOTFOUND", *flags, f"file://{page}"]
    found = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert found.returncode == 0, found.stderr
    complaints = [line for line in found.stderr.splitlines() if ":CONSOLE" in line]
    assert not complaints, complaints
    return found.stdout


def pixels(path):
    """The rows of an 8-bit RGB or RGBA PNG without interlacing, each a list of colours."""
    data = open(path, "rb").read()
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        chunk = data[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", chunk)
            assert depth == 8 and colour in (2, 6) and not interlaced
        elif kind == b"IDAT":
            packed += chunk
        at += 12 + length
    size = 3 if colour == 2 else 4
    raw, before, rows = zlib.decompress(packed), bytearray(width * size), []
    for y in range(height):
        first = y * (width * size + 1)
        row = bytearray(raw[first + 1:first + 1 + width * size])
        for i in range(len(row)):
            left = row[i - size] if i >= size else 0
            corner = before[i - size] if i >= size else 0
            guess = left + before[i] - corner
            paeth = min((abs(guess - left), 0, left), (abs(guess - before[i]), 1, before[i]),
                        (abs(guess - corner), 2, corner))[2]
            row[i] = (row[i] + (0, left, before[i], (left + before[i]) // 2, paeth)[raw[first]]) % 256
        rows.append([tuple(row[i:i + 3]) for i in range(0, len(row), size)])
        before = row
    return rows


def check_page(browser, folder, page, name, wanted):
    text = open(page, encoding="utf-8").read()
    # The only addresses are the names of SVG; nothing to fetch.
    addresses = set(re.findall(r"""https?:[^"' <)]*""", text))
    assert addresses <= {"http://www.w3.org/2000/svg"}, addresses
    profile = os.path.join(folder, "profile")
    dom = browse(browser, profile, page, "--dump-dom")
    for tag, count in wanted.items():
        assert len(re.findall(rf"<{tag}[ >]", dom)) == count, (name, tag, count)
    for scheme, (background, preference) in SCHEMES.items():
        picture = os.path.join(folder, f"{name}-{scheme}.png")
        browse(browser, profile, page, f"--window-size={WIDTH},{HEIGHT}",
               f"--screenshot={picture}", f"--blink-settings=preferredColorScheme={preference}")
        rows = pixels(picture)
        assert (len(rows), len(rows[0])) == (HEIGHT, WIDTH)
        assert rows[0][0] == background, (name, scheme, rows[0][0])
        inked = sum(pixel != background for row in rows for pixel in row)
        assert inked > WIDTH * HEIGHT / 50, f"{name}, {scheme}: nearly empty"
    # Paper is white, whatever the screen prefers.
    pdf = os.path.join(folder, f"{name}.pdf")
    browse(browser, profile, page, f"--print-to-pdf={pdf}", "--no-pdf-header-footer",
           "--blink-settings=preferredColorScheme=0")
    data = open(pdf, "rb").read()
    assert data.startswith(b"%PDF")
    sheets = len(re.findall(rb"/Type\s*/Page\b", data))
    print(f"{name}: {len(text) // 1024} KiB, {sheets} pages on paper")
    assert sheets >= 1


def main():
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if browser is None:
        print("skipped: opening reports needs Debian's package chromium")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        def path(*names):
            return os.path.join(folder, *names)
        glia("phantom", "--out", path("slices"), "--patients", "8", "--slices", "5", "--size", "32",
             "--seed", "3")
        glia("split", "--data", path("slices"), "--out", path("split"), "--val", "0.4",
             "--group-by", "id/5")
        glia("train", "--data", path("slices"), "--split", path("split"), "--out", path("run"),
             "--base-width", "4", "--depth", "2", "--batch-size", "2", "--epochs", "3")
        glia("evaluate", "--checkpoint", path("run", "best.safetensors"), "--data", path("slices"),
             "--list", path("split", "val.txt"), "--group-by", "id/5", "--out", path("evaluation"))
        glia("sweep", "--data", path("slices"), "--split", path("split"), "--out", path("study"),
             "--base-width", "4", "--depth", "2", "--batch-size", "2,4", "--epochs", "2",
             "--seeds", "2")
        slices = len(open(path("split", "val.txt")).read().split())
        evaluated = open(path("evaluation", "slices.csv")).read().splitlines()
        assert len(evaluated) == slices + 1
        drawn = sum(line.split(",")[6] != "" for line in evaluated[1:])
        check_page(browser, folder, path("run", "report.html"), "run",
                   {"svg": 1, "h1": 1, "img": 0})
        check_page(browser, folder, path("evaluation", "report.html"), "evaluation",
                   {"svg": 3, "h1": 1, "img": min(drawn, 16)})
        check_page(browser, folder, path("study", "report.html"), "study",
                   {"svg": 2, "h1": 1, "img": 0})
        if len(sys.argv) > 2:
            os.makedirs(sys.argv[2], exist_ok=True)
            for name in os.listdir(folder):
                if name.endswith((".png", ".pdf")):
                    shutil.copy(path(name), sys.argv[2])
            for name in ("run", "evaluation", "study"):
                shutil.copy(path(name, "report.html"), os.path.join(sys.argv[2], f"{name}.html"))


main()
