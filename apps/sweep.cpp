// glia sweep: trains every combination of settings with several seeds and compares them.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <memory>
#include <set>

#include "apps/commands.h"
#include "apps/flags/device_options.h"
#include "apps/flags/group_by_option.h"
#include "apps/flags/value_checks.h"
#include "apps/flags/passed_flags.h"
#include "apps/flags/train_options.h"
#include "apps/runs/environment.h"
#include "apps/runs/output_folder.h"
#include "apps/runs/patient_rules.h"
#include "apps/runs/run_inputs.h"
#include "apps/study/sweep_runner.h"
#include "apps/terminal/interrupt.h"
#include "engine/base/cores.h"
#include "engine/base/file.h"
#include "engine/base/folder_lock.h"
#include "engine/base/shell_word.h"
#include "engine/runtime/open_device.h"
#include "models/unet/unet.h"

namespace glia {

namespace {

namespace fs = std::filesystem;
using Flags = std::map<std::string, std::string>;
using Words = std::vector<std::string>;

// Flags that leave a trial's result as it is; a rerun may change them.
constexpr std::array kChangeNothing = {"threads",   "loader-threads",  "device", "backend",
                                       "memory",    "eager",           "trace",  "tensorboard",
                                       "check-nan", "checkpoint-every"};
// Those of them that glia train --resume does not take.
constexpr std::array kOnlyAtTheStart = {"eager", "checkpoint-every"};

template <class List>
bool contains(const List& list, const std::string& name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

struct SweepOptions {
  std::string data, split, train_list, val_list, group_by, out, match = "epochs";
  std::vector<std::string> lists = std::vector<std::string>(sweep::settings().size());
  std::string epochs;
  std::int64_t seeds = 1;
  int jobs = 0;
  std::vector<std::string> devices;
  bool dry_run = false;
  CLI::App train_app;  // glia train: its flags and their checks
  TrainOptions trial;  // what they were read into
  CLI::App* train = nullptr;
  PassedFlags passed;
};

Flags data_flags(const SweepOptions& o) {
  Flags flags;
  for (const auto& [name, value] :
       {std::pair{"data", &o.data}, std::pair{"split", &o.split},
        std::pair{"train-list", &o.train_list}, std::pair{"val-list", &o.val_list}})
    if (!value->empty()) flags[name] = *value;
  return flags;
}

/// The values of a setting that was not given: those of glia train.
std::string default_of(const sweep::Setting& setting, const SweepOptions& o, const Flags& flags) {
  const auto arch = flags.find("arch");
  if (&setting == &sweep::settings()[sweep::kBaseWidth] && arch != flags.end() &&
      arch->second == "seed")
    return std::to_string(UNetConfig::seed().base_width);
  return o.train->get_option(fmt::format("--{}", setting.flag))->get_default_str();
}

sweep::Grid read_grid(const SweepOptions& o, const Flags& flags) {
  sweep::Grid grid{.values = {}, .seeds = o.seeds};
  for (std::size_t i = 0; i < o.lists.size(); ++i) {
    const sweep::Setting& setting = sweep::settings()[i];
    grid.values.push_back(sweep::read_values(
        setting, o.lists[i].empty() ? default_of(setting, o, flags) : o.lists[i]));
  }
  return grid;
}

Words start_words(const SweepOptions& o, const Flags& flags, const sweep::Trial& trial) {
  Words words = {"train", "--out", trial.run().string()};
  Flags all = data_flags(o);
  for (std::size_t i = 0; i < sweep::settings().size(); ++i)
    all[sweep::settings()[i].flag] = trial.point().values[i];
  all["seed"] = std::to_string(trial.point().seed);
  all["epochs"] = std::to_string(trial.length().epochs);
  if (trial.length().max_steps > 0) all["max-steps"] = std::to_string(trial.length().max_steps);
  all.insert(flags.begin(), flags.end());
  for (std::string& word : to_words(all)) words.push_back(std::move(word));
  return words;
}

Words resume_words(const Flags& flags, const sweep::Trial& trial) {
  Words words = {"train", "--resume", trial.run().string(), "--epochs",
                 std::to_string(trial.length().epochs)};
  for (const auto& [name, value] : flags)
    if (contains(kChangeNothing, name) && !contains(kOnlyAtTheStart, name))
      for (std::string& word : to_words({{name, value}})) words.push_back(std::move(word));
  return words;
}

/// Refuses what glia train would refuse for its words and these slices, before the first trial
/// starts.
void check_words(SweepOptions& o, Words words, const RunInputs& inputs) {
  std::reverse(words.begin(), words.end());  // as CLI11 wants them
  o.train_app.parse(words);
  o.trial.read_settings();
  o.trial.check_batch(inputs.train);
  o.trial.model_for(*o.train, inputs.train);
}

/// Refuses a device or precision that every trial would be refused for.
void check_trials_device(const Flags& flags) {
  CLI::App app;
  DeviceOptions device;
  device.add_to(app);
  Flags own;
  for (const auto& [name, value] : flags)
    if (app.get_option_no_throw("--" + name) != nullptr) own[name] = value;
  Words words = to_words(own);
  std::reverse(words.begin(), words.end());  // as CLI11 wants them
  app.parse(words);
  check_device(device.request);
}

std::size_t jobs_of(const SweepOptions& o) {
  if (o.jobs > 0) return static_cast<std::size_t>(o.jobs);
  return std::max<std::size_t>(1, o.devices.size());
}

/// The flags of a trial as job `job`: its device, and where nobody said how many threads, its share
/// of the cores.
Flags flags_of_job(const SweepOptions& o, Flags flags, std::size_t job) {
  if (!o.devices.empty()) flags["device"] = o.devices[job % o.devices.size()];
  const int jobs = static_cast<int>(jobs_of(o));
  if (jobs > 1) flags.insert({"threads", std::to_string(std::max(1, given_cores() / jobs))});
  return flags;
}

/// Refuses a device that a trial would be refused for.
void check_devices(const SweepOptions& o, const Flags& flags) {
  check(o.devices.empty() || !flags.contains("device"),
        "--devices and --device: both say where trials run; leave one out");
  for (std::size_t job = 0; job < std::max<std::size_t>(1, o.devices.size()); ++job)
    check_trials_device(flags_of_job(o, flags, job));
}

std::string command_line(const SweepOptions& o, const Flags& flags) {
  Flags all = data_flags(o);
  if (!o.group_by.empty()) all["group-by"] = o.group_by;
  all.insert(flags.begin(), flags.end());
  for (std::size_t i = 0; i < o.lists.size(); ++i)
    if (!o.lists[i].empty()) all[sweep::settings()[i].flag] = o.lists[i];
  all.insert({{"out", o.out},
              {"epochs", o.epochs},
              {"seeds", std::to_string(o.seeds)},
              {"match", o.match}});
  std::string line = "glia sweep";
  for (const std::string& word : to_words(all)) line += " " + shell_word(word);
  return line;
}

Patients find_patients(const SweepOptions& o, const RunInputs& inputs) {
  std::vector<EarlierRule> earlier;
  if (o.group_by.empty() && !o.split.empty())
    earlier = {{rule_of_run(inputs.info).rule, fmt::format("the split in {}", o.split)}};
  else if (o.group_by.empty())
    earlier = {rule_of_list(o.train_list), rule_of_list(o.val_list)};
  return find_patients(ids_of(inputs.all()), o.group_by, earlier, o.data);
}

/// Who is trained on and validated on; "on_both_sides" are patients, not slices.
nlohmann::ordered_json patients_json(const Patients& patients, const RunInputs& inputs) {
  std::set<std::string> train, val, both;
  for (const Sample& sample : inputs.train) train.insert(patients.at(sample.id));
  for (const Sample& sample : inputs.val) val.insert(patients.at(sample.id));
  std::set_intersection(train.begin(), train.end(), val.begin(), val.end(),
                        std::inserter(both, both.end()));
  return {{"group_by", patients.rule},
          {"group_by_from", patients.source},
          {"training", train.size()},
          {"validation", val.size()},
          {"on_both_sides", both.size()}};
}

sweep::Study make_study(SweepOptions& o, const RunInputs& inputs, const Patients& patients) {
  const Flags flags = o.passed.given();
  const fs::path out = fs::path(o.out).lexically_normal();
  sweep::Study study{.name = without_slash(out).filename().string(),
                     .grid = read_grid(o, flags),
                     .match = sweep::parse_match(o.match),
                     .epochs = sweep::read_epochs(o.epochs),
                     .trials = {},
                     .provenance = {{"command", command_line(o, flags)},
                                    {"settings", nlohmann::ordered_json::object()},
                                    {"flags", flags},
                                    {"data", inputs.info}},
                     .environment = describe_environment()};
  for (std::size_t i = 0; i < study.grid.values.size(); ++i) {
    const sweep::Setting& setting = sweep::settings()[i];
    study.provenance["settings"][setting.flag] =
        fmt::format("{}", fmt::join(study.grid.values[i], std::string_view(&setting.separator, 1)));
  }
  study.provenance["data"]["training_slices"] = inputs.train.size();
  study.provenance["data"]["validation_slices"] = inputs.val.size();
  if (patients.known()) study.provenance["data"]["patients"] = patients_json(patients, inputs);

  const bool cosine = flags.contains("schedule") && flags.at("schedule") == "cosine";
  check(study.epochs.size() == 1 || (!cosine && study.match == sweep::Match::epochs),
        "--epochs: found '{}', expected one number: {}", o.epochs,
        cosine ? "with --schedule cosine a short run is no part of a long one"
               : "--match steps and images compare trials at their ends only");
  nlohmann::ordered_json common = {{"data", inputs.info["data"]},
                                   {"train_hash", inputs.info["train_hash"]},
                                   {"val_hash", inputs.info["val_hash"]}};
  for (const auto& [name, value] : flags)
    if (!contains(kChangeNothing, name)) common["flags"][name] = value;
  const auto slices = static_cast<std::int64_t>(inputs.train.size());
  const auto batch = [](const std::string& text) { return std::stoll(text); };
  const std::int64_t first_batch = batch(study.grid.values[sweep::kBatchSize].front());
  for (const sweep::Point& point : study.grid.points()) {
    const sweep::Length length =
        sweep::trial_length(study.match, study.epochs.back(), first_batch,
                            batch(point.values[sweep::kBatchSize]), slices);
    study.trials.emplace_back(out, point, length, cosine, common);
    check_words(o, start_words(o, flags, study.trials.back()), inputs);
  }
  return study;
}

void print_plan(const sweep::Study& study, const fs::path& out) {
  const auto finished = study.count(sweep::State::finished);
  fmt::print("{} trials: {} finished, {} to train\n", study.trials.size(), finished,
             static_cast<std::int64_t>(study.trials.size()) - finished);
  auto others = sweep::finished_trials(out);
  std::erase_if(others, [&](const std::string& name) {
    return std::any_of(study.trials.begin(), study.trials.end(),
                       [&](const sweep::Trial& trial) { return trial.name() == name; });
  });
  if (!others.empty())
    fmt::print("{} finished trials of {} belong to other settings; they stay and are not shown\n",
               others.size(), (out / "trials").string());
  std::fflush(stdout);
}

void run_sweep(SweepOptions& o) {
  const fs::path out = o.out, mark = out / "sweep.lock";
  if (!o.dry_run) check_outside(out, o.data);
  check(!fs::exists(out) || (fs::is_directory(out) && (fs::is_empty(out) || fs::exists(mark))),
        "{}: exists and is no study; choose another --out", o.out);
  const RunInputs inputs = RunInputs::load(o.data, o.split, o.train_list, o.val_list);
  const Patients patients = find_patients(o, inputs);
  sweep::Study study = make_study(o, inputs, patients);
  print_patients(patients);
  for (const std::string& text : patients.warnings) fmt::print("warning: {}\n", printable(text));
  if (const std::string text = leak_warning(study); !text.empty())
    fmt::print("warning: {}\n", text);
  if (o.dry_run) {
    for (const sweep::Trial& trial : study.trials)
      fmt::print(
          "{:<10} {} epochs{}  {}\n", name_of(trial.state()), trial.length().epochs,
          trial.length().max_steps > 0 ? fmt::format(", {} steps", trial.length().max_steps) : "",
          study.label(trial));
    return print_plan(study, out);
  }
  if (study.count(sweep::State::finished) < std::ssize(study.trials))
    check_devices(o, o.passed.given());
  make_folder(out);
  const FolderLock lock(mark);
  print_plan(study, out);
  const Flags flags = o.passed.given();
  run_study(study, out, jobs_of(o), [&](const sweep::Trial& trial, std::size_t job) {
    const Flags own = flags_of_job(o, flags, job);
    return trial.has_checkpoint() ? resume_words(own, trial) : start_words(o, own, trial);
  });
  const auto finished = study.count(sweep::State::finished);
  fmt::print("{} of {} trials finished; written to {}\n", finished, study.trials.size(), o.out);
  if (interrupted()) {
    fmt::print("stopped; the same command goes on\n");
    throw CLI::RuntimeError(130);
  }
  if (finished < static_cast<std::int64_t>(study.trials.size())) throw CLI::RuntimeError(1);
}

}  // namespace

void add_sweep_command(CLI::App& app) {
  auto* command = app.add_subcommand(
      "sweep", "Trains combinations of settings with several seeds and compares them");
  auto options = std::make_shared<SweepOptions>();
  options->train = options->trial.add_to(options->train_app);
  check_flag_values(options->train_app);

  command->add_option("--data", options->data, "Folder with <id>_img.npy and <id>_seg.npy")
      ->required();
  command->add_option("--split", options->split, "Folder that glia split wrote");
  command->add_option("--train-list", options->train_list, "Ids to train on, instead of --split");
  command->add_option("--val-list", options->val_list, "Ids to validate on, instead of --split");
  command
      ->add_option("--out", options->out,
                   "Folder of the study; where it holds one, finished trials are kept, stopped "
                   "ones go on and failed ones are tried again")
      ->required();
  add_group_by_option(*command, options->group_by,
                      "the rule of --split or of the split that the lists lie in, else the "
                      "manifest.csv in --data, else unknown");
  for (std::size_t i = 0; i < options->lists.size(); ++i) {
    const sweep::Setting& setting = sweep::settings()[i];
    const std::string flag = fmt::format("--{}", setting.flag);
    const CLI::Option* of_train = options->train->get_option(flag);
    command
        ->add_option(flag, options->lists[i],
                     fmt::format("List with '{}' between its values. {}", setting.separator,
                                 of_train->get_description()))
        ->default_str(of_train->get_default_str());
  }
  options->epochs = options->train->get_option("--epochs")->get_default_str();
  command
      ->add_option("--epochs", options->epochs,
                   "Passes over the training slices. With a list every trial trains to the largest "
                   "and is compared at each: a run of 5 epochs contains those of 1 to 4, so none "
                   "is trained twice")
      ->capture_default_str();
  command->add_option("--seeds", options->seeds, "Seeds of every combination: 0, 1, ... below this")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command
      ->add_option("--match", options->match,
                   "What all trials have the same number of: epochs, or optimizer steps or images "
                   "seen, then as many as --epochs epochs of the first batch size have")
      ->check(CLI::IsMember({"epochs", "steps", "images"}))
      ->capture_default_str();
  command
      ->add_option("--jobs", options->jobs,
                   "Trials at a time, each with its share of the cores unless --threads says "
                   "otherwise, and with memory of its own; 0: one, or one a device of --devices")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  command
      ->add_option("--devices", options->devices,
                   "Where the jobs run, in turn: a list such as cuda:0,cuda:1")
      ->delimiter(',');
  command->add_flag("--dry-run", options->dry_run, "Only print the trials and which are finished");
  options->passed.add(*command, *options->train,
                      {"help", "out", "resume", "seed", "epochs", "max-steps"});
  command->footer(
      "Example:\n"
      "  glia sweep --data slices --split split --out study --batch-size 4,6,12 --epochs 2 "
      "--seeds 3\n"
      "  glia sweep --data slices --split split --out augment --augment none/flip,rotate=15\n"
      "  glia sweep --data slices --split split --out rates --learning-rate 1e-3,1e-4 --jobs 2");
  command->callback([options] { run_sweep(*options); });
}

}  // namespace glia
