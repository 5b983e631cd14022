"""How benchmarks/precision-curves judges the losses that it is given. Usage: precision_curves_test.py"""
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent.parent.parent / "benchmarks/precision-curves"
# Loss curves of three seeds, two windows of two steps each. At the end fp32's are 1, 2 and 3.
FP32 = [[4, 4, 1.5, 0.5], [5, 5, 2, 2], [6, 6, 3.5, 2.5]]


def moved(curves, by):
    """The same but for the last two steps."""
    return [curve[:2] + [loss + by for loss in curve[2:]] for curve in curves]


NEAR = moved(FP32, 0.125)


class Judge(unittest.TestCase):
    def judge(self, **ways):
        result = {"last": 2, "losses": ways, "val_iou": {way: [0.5] * 3 for way in ways}}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "result.json"
            path.write_text(json.dumps(result))
            done = subprocess.run([sys.executable, str(SCRIPT), "--judge", str(path)],
                                  capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def test_within_the_seeds(self):
        status, said = self.judge(fp32=FP32, tf32=moved(FP32, 0.25), bf16=moved(FP32, -0.75))
        self.assertEqual(status, 0, said)
        self.assertIn("tf32: ends at 1.2500, 2.2500, 3.2500, mean 2.2500; from fp32 +0.2500, +0.2500, "
                      "+0.2500, mean +0.2500, at worst 12.5% of fp32's range", said)

    def test_outside_on_either_side(self):
        for by in (1.25, -1.25):
            for way in ("tf32", "bf16"):
                ways = {"fp32": FP32, "tf32": NEAR, "bf16": NEAR, way: moved(FP32, by)}
                status, said = self.judge(**ways)
                self.assertEqual(status, 1, said)
                self.assertIn(f"FAILED {way}: mean {2 + by:.4f}, expected 1.0000 to 3.0000", said)
                self.assertEqual(said.count("FAILED"), 1, said)

    def test_a_loss_that_is_not_a_number(self):
        for way in ("fp32", "bf16"):
            ways = {"fp32": FP32, "tf32": NEAR, "bf16": NEAR, way: moved(FP32, float("nan"))}
            status, said = self.judge(**ways)
            self.assertEqual(status, 1, said)
            self.assertIn(f"FAILED {way}", said)

    def test_a_run_that_rounded_nothing(self):
        status, said = self.judge(fp32=FP32, tf32=NEAR, bf16=[*NEAR[:2], FP32[2]])
        self.assertEqual(status, 1, said)
        self.assertIn("FAILED bf16: a run has the losses of fp32", said)

    def test_a_precision_that_was_left_out(self):
        status, said = self.judge(fp32=FP32, bf16=NEAR)
        self.assertEqual(status, 1, said)
        self.assertIn("FAILED tf32: no losses", said)

    def test_pytorch_is_told_of_and_not_judged(self):
        ways = {"fp32": FP32, "tf32": NEAR, "bf16": NEAR, "torch-fp32": FP32,
                "torch-autocast": moved(FP32, 9)}
        status, said = self.judge(**ways)
        self.assertEqual(status, 0, said)
        self.assertRegex(said, "torch-autocast: .*OUTSIDE OF fp32's seeds")


if __name__ == "__main__":
    unittest.main()
