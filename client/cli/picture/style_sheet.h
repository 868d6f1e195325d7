#pragma once

#include "core/watch/flag.h"

namespace curvecast {

// The looks of a picture, on a light ground: what was seen is dark, what the law says is blue, and only flags have warm
// colours. Fonts are the reader's.
inline constexpr char kStyleSheet[] = R"(
text{font-family:system-ui,-apple-system,"Segoe UI","Helvetica Neue",Arial,"DejaVu Sans",sans-serif;font-size:11px;fill:#57606a}
.middle{text-anchor:middle}.end{text-anchor:end}
.halo{paint-order:stroke;stroke:#fff;stroke-width:3px;stroke-linejoin:round}
.paper{fill:#fff}
.title{font-size:19px;font-weight:600;fill:#1f2328}
.facts{font-size:12.5px}
.told{font-size:12.5px;fill:#1f2328}
.strong{font-size:12px;font-weight:600;fill:#1f2328}
.body{font-size:12px;fill:#32383f}
.edge,.schedule{font-size:10px}
.grid{stroke:#eaeef2;stroke-width:1}
.axis{stroke:#afb8c1;stroke-width:1}
.curve{fill:none;stroke:#24292f;stroke-width:1.5;stroke-linejoin:round}
.fine{stroke-width:.9;stroke-opacity:.8}
.dot{fill:#24292f}
.spread{fill:#24292f;fill-opacity:.13}
.law{fill:none;stroke:#2f6fd0;stroke-width:2;stroke-linejoin:round}
.path{fill:none;stroke:#2f6fd0;stroke-width:2;stroke-dasharray:6 4;stroke-linejoin:round}
.band{fill:#2f6fd0;fill-opacity:.16}
.past{fill:#fff;stroke:#2f6fd0;stroke-width:1;stroke-opacity:.75}
.told-end{font-size:13px;font-weight:600;fill:#2f6fd0}
.gone{fill:none;stroke:#8c959f;stroke-width:1.2;stroke-opacity:.65;stroke-dasharray:2 2}
.outside{fill:#24292f}
.broken{stroke:#24292f;stroke-width:1.6;fill:none}
.rate{fill:none;stroke:#8c959f;stroke-width:1.3}
.rates{fill:#8c959f;fill-opacity:.18}
.info .line,.info .bar,.info .ring{stroke:#6e7781}.info .fill,.info .tag{fill:#6e7781}
.warning .line,.warning .bar,.warning .ring{stroke:#bf6a02}.warning .fill,.warning .tag{fill:#bf6a02}.warning .tag{fill:#9a5500}
.critical .line,.critical .bar,.critical .ring{stroke:#cf222e}.critical .fill,.critical .tag{fill:#cf222e}
.line{stroke-width:1.3}.bar{stroke-width:3;stroke-linecap:butt}
.tag{font-size:11px;font-weight:600}.list{font-size:12px}
.ring{fill:#fff;stroke-width:1.6}.fill{fill-opacity:1}.span{fill-opacity:.06}
.over .line{stroke-dasharray:3 3;stroke-opacity:.55}.over .bar{stroke-width:1.2;stroke-opacity:.8}.over .tag{fill-opacity:.8;font-weight:400}
.over .span{fill-opacity:.035}
)";

// The class that colours what is inside.
inline const char* LookOf(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return "info";
    case Severity::kWarning:
      return "warning";
    case Severity::kCritical:
      return "critical";
  }
  return "info";
}

}  // namespace curvecast
