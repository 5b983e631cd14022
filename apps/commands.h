// The subcommands of `glia`, one source file each. Every function registers its flags and, as the
// callback, what runs when it is chosen.
#pragma once

namespace CLI {
class App;
}

namespace glia {

void add_phantom_command(CLI::App& app);
void add_import_command(CLI::App& app);
void add_split_command(CLI::App& app);
void add_check_data_command(CLI::App& app);
void add_train_command(CLI::App& app);
void add_sweep_command(CLI::App& app);
void add_evaluate_command(CLI::App& app);
void add_predict_command(CLI::App& app);
void add_explain_command(CLI::App& app);
void add_export_command(CLI::App& app);
void add_export_weights_command(CLI::App& app);
void add_import_weights_command(CLI::App& app);
void add_model_card_command(CLI::App& app);
void add_plan_command(CLI::App& app);
void add_bench_command(CLI::App& app);
void add_kernel_command(CLI::App& app);
void add_gradcheck_command(CLI::App& app);
void add_doctor_command(CLI::App& app);

}  // namespace glia
