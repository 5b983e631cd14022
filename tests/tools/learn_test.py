"""tools/check-learn finds what a page of docs/learn quotes wrongly, and nothing else. Usage: learn_test.py"""
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

CHECKER = Path(__file__).resolve().parent.parent.parent / "tools" / "check-learn"
ROW = "relu  relu_backward  input  2x5  {}  {:>7}  {:<24}  180  {}\n"
RIGHT = ROW.format("6.0e-08", "0.13", "accumulate [0, 0, 2, 1]", "right")
WRONG = ROW.format("1.3e-01", "2.1e+04", "[1, 3]", "WRONG") + (
    "    all elements moved together (all by 1): found 11.1807, expected 0\n"
    "    worst: [1, 3], found 0.66, expected 0.53\n")
PRINTS = RIGHT + WRONG + "1 of 2 rows right on cpu\n"
PAGE = """# Page

<!-- from kernel.cu: void f() ... } -->
```cpp
void f() {
  if (x) { y(1.5);
  }
}
```

```sh
glia gradcheck
```

```text
""" + PRINTS + "```\n"
KERNEL = "// A kernel.\n\nvoid f() {\n  if (x) { y(1.5);\n  }\n}\n"


class Learn(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        for name in ("docs/learn", "build/apps"):
            (self.root / name).mkdir(parents=True)
        self.page = self.root / "docs/learn/page.md"

    def check(self, page=PAGE, prints=PRINTS, kernel=KERNEL, more="",
              *flags):
        self.page.write_text(page)
        (self.root / "kernel.cu").write_text(kernel)
        (self.root / "build/printed").write_text(prints)
        glia = self.root / "build/apps/glia"
        glia.write_text(f"#!/bin/sh\ncat build/printed\n{more}\n")
        glia.chmod(0o755)
        done = subprocess.run([sys.executable, str(CHECKER), *flags], text=True, capture_output=True,
                              env=dict(os.environ, GLIA_LEARN_ROOT=str(self.root)))
        return done.returncode, done.stdout + done.stderr

    def differs(self, wanted, **what):
        status, said = self.check(**what)
        self.assertEqual(status, 1, said)
        self.assertIn(wanted, said)

    def test_a_page_that_quotes_what_is_there(self):
        self.assertEqual(self.check(), (0, "check-learn: 1 pages, 1 excerpts, 1 commands, 0 problems\n"))

    def test_roundings_are_not_compared(self):
        prints = (PAGE.split("```text\n")[1].split("```")[0]
                  .replace("6.0e-08     0.13  accumulate [0, 0, 2, 1]  ", "5.9e-08    0.128  [1, 1, 1, 1]             ")
                  .replace("[1, 3]", "[0, 2]").replace("found 0.66, expected 0.53", "found -0.4, expected -0.5")
                  .replace("11.1807, expected 0", "11.1808, expected 3.1e-13"))
        self.assertNotIn("[1, 3]", prints)
        self.assertIn("0.128", prints)
        self.assertEqual(self.check(prints=prints)[0], 0)

    def test_a_changed_word_or_number(self):
        for old, new in (("moved", "mowed"), ("right on", "wrong on"), ("11.1807", "11.1907"),
                         ("expected 0", "expected 1"), ("1 of 2", "2 of 2"), ("2.1e+04", "2.5e+04"),
                         ("1.3e-01", "1.6e-01"), ("2x5", "2x6")):
            with self.subTest(old):
                changed = PAGE.replace(old, new, 1)
                self.assertNotEqual(changed, PAGE)
                self.differs("page.md:15: the page quotes something else", page=changed)

    def test_a_line_too_few_or_too_many(self):
        self.differs("(no such line)", prints=RIGHT + WRONG)
        self.differs("(no such line)", prints=PRINTS + "and more\n")

    def test_a_changed_line_of_source(self):
        self.differs("y(1.4)", kernel=KERNEL.replace("1.5", "1.4"))
        self.differs("the page quotes", kernel=KERNEL.replace("  if", "   if"))
        self.differs("0 lines that begin with 'void f()'", kernel=KERNEL.replace("f()", "g()"))
        self.differs("2 lines that begin with 'void f()'", kernel=KERNEL + KERNEL)

    def test_a_command_that_fails(self):
        self.differs("'glia gradcheck' ended with 3", more="exit 3")

    def test_blocks_that_nothing_is_compared_with(self):
        self.differs("a block that nothing is compared with", page=PAGE + "\n```python\nx = 1\n```\n")
        self.differs("a block that nothing is compared with", page="```text\nx\n```\n" + PAGE)
        self.differs("without a block of text", page=PAGE + "\n```sh\ntrue\n```\n")
        self.differs("is not closed", page=PAGE + "\n```sh\n")
        self.differs("expected <!-- from", page=PAGE.replace("cu: void", "cu void"))

    def test_write(self):
        self.check(PAGE.replace("moved", "mowed").replace("y(1.5)", "z()"), PRINTS, KERNEL, "", "--write")
        self.assertEqual(self.page.read_text(), PAGE)

    def test_no_build(self):
        (self.root / "build/apps").rename(self.root / "build/elsewhere")
        done = subprocess.run([sys.executable, str(CHECKER)], text=True, capture_output=True,
                              env=dict(os.environ, GLIA_LEARN_ROOT=str(self.root)))
        self.assertEqual(done.returncode, 1)
        self.assertIn("tools/build glia, or --build FOLDER", done.stderr)


if __name__ == "__main__":
    unittest.main()
