#include "apps/terminal/training_reporter.h"

#include <fmt/format.h>

#include <array>
#include <exception>

#include "apps/terminal/interrupt.h"
#include "engine/base/streams.h"
#include "engine/base/file.h"

namespace glia {

TrainingReporter::TrainingReporter(const RunFolder& folder, Options options)
    : folder_(folder),
      epochs_(options.epochs),
      best_by_(options.best_by),
      tensorboard_(options.tensorboard) {
  const auto name = without_slash(folder.path().lexically_normal()).filename();
  page_.title = fmt::format("Training run “{}”", name.string());
  page_.loss_name = options.loss_name;
  page_.settings = std::move(options.settings);
  page_.environment = std::move(options.environment);
}

TrainingReporter::~TrainingReporter() {
  if (!page_.running) return;
  try {
    end("Ended by an error");
  } catch (const std::exception&) {
    // The error that ended the run is the one to tell.
  }
}

TrainEvents TrainingReporter::events() {
  return {.step = [this](const TrainEvents::Step& step) { show(step); },
          .epoch = [this](const MetricsRow& row) { show(row); },
          .message = [this](const std::string& text) { warn(text); },
          .stop = interrupted};
}

void TrainingReporter::say(const std::string& line) {
  progress_.reset();
  print_line(line);
  folder_.log(line);
}

void TrainingReporter::warn(const std::string& text) {
  page_.warnings.push_back(text);
  say("warning: " + text);
}

void TrainingReporter::start(const std::vector<MetricsRow>& history) {
  if (tensorboard_) event_file_.emplace(folder_.path());
  for (const MetricsRow& row : history) {
    add(row);
    write_events(row);
  }
  page_.running = true;
  page_.state = fmt::format("Running: {} of {} epochs done.", history.size(), epochs_);
  write_page();
}

void TrainingReporter::finish(bool reached_the_end) {
  end(reached_the_end ? "Finished" : "Stopped");
}

void TrainingReporter::end(const char* how) {
  page_.running = false;
  page_.state = fmt::format("{}: {} of {} epochs done.", how, page_.epochs.size(), epochs_);
  write_page();
}

void TrainingReporter::show(const TrainEvents::Step& step) {
  if (!progress_) {  // this step took its time before
    progress_.emplace(fmt::format("epoch {}/{}", step.epoch, epochs_), step.steps);
    progress_->begin(step.step, step.images);
  }
  losses_.add(step.loss);
  progress_->update(
      step.step,
      {.images = step.images, .loss = step.loss, .iou = step.batch_iou, .curve = losses_.str()});
}

void TrainingReporter::show(const MetricsRow& row) {
  say(
      fmt::format("epoch {}/{}  train loss {:.4f} iou {:.4f}  val loss {:.4f} iou {:.4f}  "
                  "thresholded iou {:.4f} dice {:.4f}  {:.1f} s + {:.1f} s",
                  row.epoch, epochs_, row.train_loss, row.train_batch_iou, row.val_loss,
                  row.val_batch_iou, row.val_batch_iou_thresholded, row.val_batch_dice_thresholded,
                  row.train_seconds, row.val_seconds));
  add(row);
  page_.state = fmt::format("Running: {} of {} epochs done.", row.epoch, epochs_);
  write_page();
  write_events(row);
}

void TrainingReporter::add(const MetricsRow& row) {
  rows_.push_back(row);
  page_.curves.push_back(row.curve_point());
  page_.epochs.push_back(row.to_json());
  page_.best = best_epoch(rows_, best_by_);
}

void TrainingReporter::write_page() {
  write_file_atomically(folder_.path() / "report.html", page_.html());
}

void TrainingReporter::write_events(const MetricsRow& row) {
  if (!event_file_) return;
  event_file_->write(row.steps,
                     std::array<Scalar, 9>{{
                         {"loss/training", row.train_loss},
                         {"loss/validation", row.val_loss},
                         {"batch_iou/training", row.train_batch_iou},
                         {"batch_iou/validation", row.val_batch_iou},
                         {"batch_iou/validation_thresholded", row.val_batch_iou_thresholded},
                         {"batch_dice/validation_thresholded", row.val_batch_dice_thresholded},
                         {"pixel_accuracy/validation", row.val_pixel_accuracy},
                         {"learning_rate", row.learning_rate},
                         {"epoch", static_cast<double>(row.epoch)},
                     }});
}

}  // namespace glia
