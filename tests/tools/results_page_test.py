"""The page of results follows the files that it is made of. Usage: results_page_test.py"""
import json
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "benchmarks/results_page"))
from page import BEGIN, END, END_OF_MODEL, MODEL, outputs  # noqa: E402
from results import load  # noqa: E402

STEP = "2026-11-28-train-base32-batch6-torch215.json"


class Page(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.results = self.root / "benchmarks/results"
        shutil.copytree(ROOT / "benchmarks/results", self.results)
        (self.root / "README.md").write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
        (self.root / "docs").mkdir()
        (self.root / "docs/scale.md").write_text(f"before\n{MODEL}\nold\n{END_OF_MODEL}\nafter\n")

    def texts(self):
        return {path.relative_to(self.root).as_posix(): text for path, text in outputs(self.root).items()}

    def change(self, name, change, to=None):
        json_ = json.loads((self.results / name).read_text())
        change(json_)
        (self.results / (to or name)).write_text(json.dumps(json_))

    def test_headline_stands_between_its_marks(self):
        readme = self.texts()["README.md"]
        self.assertTrue(readme.startswith(f"before\n{BEGIN}\n"))
        self.assertTrue(readme.endswith(f"{END}\nafter\n"))
        self.assertNotIn("old", readme)

    def test_model_stands_between_its_marks(self):
        scale = self.texts()["docs/scale.md"]
        self.assertTrue(scale.startswith(f"before\n{MODEL}\n"))
        self.assertTrue(scale.endswith(f"{END_OF_MODEL}\nafter\n"))
        self.assertEqual(scale.count("| batch |"), 3)

    def test_steps_in_bf16_and_of_ranks_follow_their_files(self):
        page = self.texts()["docs/results.md"]
        self.assertIn("| 1 rank, 2 threads | 0.945 s | 1.00 |", page)
        self.change("2026-12-01-scaling-base32-batch6.json",
                    lambda json_: json_["median_step_s"].update({"1 rank, 2 threads": 0.5}))
        self.change("2026-12-01-cpu-bf16-amx-layers.json", lambda json_: json_["steps"][0].update(step_s=0.777))
        page = self.texts()["docs/results.md"]
        self.assertIn("| 1 rank, 2 threads | 0.5 s | 1.00 |", page)
        self.assertIn("| base 16, batch 6 | 0.777 s | 0.194 s |", page)

    def test_a_changed_figure_changes_page_chart_and_headline(self):
        before = self.texts()
        self.change(STEP, lambda json_: json_["median_step_s"].update(ours=0.4321))
        after = self.texts()
        for name in ("docs/results.md", "docs/images/results-steps.svg", "README.md"):
            self.assertNotIn("0.432 s", before[name], name)
            self.assertIn("0.432 s", after[name], name)

    def test_rooflines_follow_their_files_and_call_predictions_so(self):
        before = self.texts()
        cpu, gpu = "docs/images/results-roofline-cpu.svg", "docs/images/results-roofline-h200.svg"
        self.assertIn("predicted, not measured", before[gpu])
        self.assertNotIn("predicted", before[cpu])
        self.assertIn("**Predicted, no GPU has measured it**", before["docs/results.md"])
        self.assertEqual(before[gpu].count(", predicted</title></circle>"), 3 * 68)
        self.change("2026-11-28-conv2d-base64-onednn.json",
                    lambda json_: json_["peaks"].update(bytes_per_s=12.3e9))
        self.change("2026-11-30-predicted-h200-convolutions.json",
                    lambda json_: json_[0]["rows"][0].update(tflops=3.21))
        after = self.texts()
        self.assertIn("12 GB/s copied", after["docs/results.md"])
        self.assertNotEqual(before[cpu], after[cpu])
        self.assertIn("3 TFLOP/s, predicted", after[gpu])

    def test_a_loss_is_shown_too(self):
        self.change(STEP, lambda json_: json_["median_step_s"].update(ours=4.0))
        self.assertIn("| 0.53 |", self.texts()["docs/results.md"])

    def test_the_last_run_of_a_thing_stands(self):
        def later(json_):
            json_["date"] = "2026-12-24"
            json_["median_step_s"]["ours"] = 0.3333
        self.change(STEP, later, "2026-12-24-again.json")
        page = self.texts()["docs/results.md"]
        table = page[:page.index("## Convolutions")]
        self.assertIn("0.333 s", table)
        self.assertNotIn(STEP, table)

    def test_every_file_is_on_the_page(self):
        self.change(STEP, lambda json_: (json_.clear(), json_.update(what="something new")), "2027-new.json")
        page = self.texts()["docs/results.md"]
        self.assertIn("something new", page)
        for path in self.results.glob("*.json"):
            self.assertIn(path.name, page)

    def test_what_is_predicted_says_so(self):
        page = self.texts()["docs/results.md"]
        predicted = page[page.index("on a GPU: predicted"):page.index("## Accuracy")]
        self.assertIn("**No GPU has run any of this.**", predicted)
        self.assertEqual(predicted.count("not measured yet"), 3)

    def test_ratios_are_of_medians(self):
        for run in load(self.results)["beside"]:
            json_ = json.loads(run.path.read_text())
            self.assertAlmostEqual(run.ratio, json_["peer_over_ours"])

    def test_check_tells_what_is_stale_and_how_to_mend_it(self):
        shutil.copytree(ROOT / "benchmarks/results_page", self.root / "benchmarks/results_page",
                        ignore=shutil.ignore_patterns("__pycache__"))
        script = self.root / "benchmarks/results-page"
        shutil.copy(ROOT / "benchmarks/results-page", script)
        (self.root / "docs/images").mkdir(parents=True)
        run = lambda *more: subprocess.run([sys.executable, script, *more], capture_output=True,  # noqa: E731
                                           text=True)
        self.assertEqual(run("--check").returncode, 1)
        self.assertEqual(run().returncode, 0)
        self.assertEqual(run("--check").returncode, 0)
        (self.root / "docs/results.md").write_text("typed\n")
        stale = run("--check")
        self.assertEqual(stale.returncode, 1)
        self.assertEqual(stale.stderr, "results-page: docs/results.md: not what benchmarks/results says; "
                         "run benchmarks/results-page\n")
        self.assertEqual(run("--chekc").returncode, 1)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    unittest.main()
