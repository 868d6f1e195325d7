// Any bytes as a page of a damaged journal: cells that lie on it, records whose data lie in them, nothing else.

#include <cstdint>
#include <string_view>

#include "core/base/check.h"
#include "daemon/store/leaf_page.h"

namespace {

bool LiesIn(std::string_view part, std::string_view whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view page(reinterpret_cast<const char*>(data), size);
  for (const curvecast::LeafCell& cell : curvecast::LeafCells(page)) {
    CURVECAST_CHECK(LiesIn(cell.local, page));
    CURVECAST_CHECK(cell.local.size() <= cell.record_size);
    CURVECAST_CHECK((cell.local.size() < cell.record_size) || cell.overflow_page == 0);
    const auto event = curvecast::ParseEventRecord(cell.local);
    if (event) CURVECAST_CHECK(LiesIn(event->data, cell.local));
  }
  curvecast::ParseEventRecord(page);
  return 0;
}
