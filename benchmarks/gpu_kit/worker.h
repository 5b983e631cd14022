// A program that stays and answers the steps of the kit, so that contenders can be asked in turn.
#pragma once

namespace glia::kit {

/// Answers each line of JSON on standard input by one on standard output, until the input ends:
///   {"do": "step"}    seconds of whole training steps on a random batch
///   {"do": "infer"}   seconds of the probabilities of a random batch
///   {"do": "floors"}  the least seconds of a step in four degrees of fusion (suite/floors.h), from
///                     what the device does at best
///   {"do": "losses"}  the losses of the first steps on slices, in the order of their ids, and a
///   hash
///                     of the weights after the last; writes the weights before the first
/// All but floors are computed in the question's "precision".
/// A question that cannot be answered gets {"problem": why}.
void serve();

}  // namespace glia::kit
