#pragma once

#include "client/cpp/reporter.h"
#include "curvecast/v1/run.pb.h"

namespace curvecast {

v1::Run ToProto(const ReportedRun& run);
v1::Run::State ToProto(RunEnd end);

}  // namespace curvecast
