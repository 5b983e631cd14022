#!/usr/bin/env python3
"""Reads the event file of a run with TensorBoard's own reader. Usage: read_events.py GLIA

Where the package tensorboard is not among the interpreter's, the folder in
GLIA_TENSORBOARD_PACKAGES is searched too (pip install --target FOLDER tensorboard). Exits with 77
(skipped) where it is missing.
"""
import csv
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.environ.get("GLIA_TENSORBOARD_PACKAGES", os.path.dirname(__file__)))
try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util import tensor_util
except ImportError as error:
    print(f"skipped: reading event files needs tensorboard for {sys.executable} ({error})")
    sys.exit(77)

COLUMNS = {
    "loss/training": "train_loss",
    "loss/validation": "val_loss",
    "batch_iou/training": "train_batch_iou",
    "batch_iou/validation": "val_batch_iou",
    "batch_iou/validation_thresholded": "val_batch_iou_thresholded",
    "batch_dice/validation_thresholded": "val_batch_dice_thresholded",
    "learning_rate": "learning_rate",
    "epoch": "epoch",
}


def glia(*arguments):
    found = subprocess.run([sys.argv[1], *arguments], capture_output=True, text=True)
    assert found.returncode == 0, f"glia {' '.join(arguments)}:\n{found.stdout}{found.stderr}"


def value_of(event):
    return tensor_util.make_ndarray(event.tensor_proto).item()


def check_run(run, epochs):
    rows = list(csv.DictReader(open(os.path.join(run, "metrics.csv"))))
    assert len(rows) == epochs
    accumulator = EventAccumulator(run)
    accumulator.Reload()
    tags = accumulator.Tags()
    for tag, column in COLUMNS.items():
        if tag in tags["scalars"]:
            found = [(event.step, event.value) for event in accumulator.Scalars(tag)]
        else:
            found = [(event.step, value_of(event)) for event in accumulator.Tensors(tag)]
        assert len(found) == epochs, (tag, found)
        for (step, value), row in zip(found, rows):
            assert step == int(row["steps"]), (tag, step)
            expected = float(row[column])
            assert abs(value - expected) <= 1e-6 * max(1, abs(expected)), (tag, value, expected)
    print(f"{epochs} epochs, {len(COLUMNS)} tags agree with metrics.csv")


def main():
    with tempfile.TemporaryDirectory() as folder:
        def path(*names):
            return os.path.join(folder, *names)
        glia("phantom", "--out", path("slices"), "--patients", "4", "--slices", "5", "--size", "32")
        glia("split", "--data", path("slices"), "--out", path("split"))
        glia("train", "--data", path("slices"), "--split", path("split"), "--out", path("run"),
             "--base-width", "4", "--depth", "2", "--epochs", "2", "--tensorboard")
        check_run(path("run"), 2)
        glia("train", "--resume", path("run"), "--epochs", "4", "--tensorboard")
        check_run(path("run"), 4)


main()
