#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/engine/event.h"
#include "core/engine/run_spec.h"
#include "curvecast/v1/run.pb.h"

// Between the messages of run.proto and the types of core. With view_convert, the only place that knows both worlds.
namespace curvecast {

// Normalized and checked. INVALID_ARGUMENT "field: what is wrong, the value, what to write" otherwise.
absl::StatusOr<RunSpec> ToRunSpec(const v1::Run& run);
v1::Run ToProto(const RunSpec& spec);

// INVALID_ARGUMENT "schedule.knots: ..." or "schedule.decay: ..."; the rates themselves are CheckSchedule's to judge.
absl::StatusOr<ScheduleSpec> ToScheduleSpec(const v1::Schedule& schedule);
v1::Schedule ToProto(const ScheduleSpec& spec);
// INVALID_ARGUMENT "decay: ..." for one that is not known.
absl::StatusOr<Decay> ToDecay(v1::Schedule::Decay decay);

// INVALID_ARGUMENT "metric: ...", "step[3]: ...", "value: 3 values for 4 steps" if the columns break the rules of
// run.proto.
absl::StatusOr<Column> ToColumn(const v1::Points& points);
void Fill(const Column& column, v1::Points& points);  // An empty one.

// INVALID_ARGUMENT "name: ..." or "max_seconds: ..." if it breaks the rules of run.proto.
absl::StatusOr<Phase> ToPhase(const v1::Phase& phase);
v1::Phase ToProto(const Phase& phase);

// INVALID_ARGUMENT "state: ..." for a state that is no end.
absl::StatusOr<RunState> ToEnd(const v1::End& end);
v1::Run::State ToProto(RunState state);

}  // namespace curvecast
