#pragma once

#include "daemon/query/answers.h"

namespace httplib {
class Server;
}

namespace curvecast {

// Adds the routes below /api/v1. `answers` outlives the server.
void AddRunRoutes(httplib::Server& server, const Answers& answers);

}  // namespace curvecast
