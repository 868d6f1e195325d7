#pragma once

#include <cstdio>
#include <cstdlib>

// A mistake of ours, on in release too: says where, and aborts. What users can cause is a Status instead.
#define CURVECAST_CHECK(condition)                                                       \
  do {                                                                                   \
    if (!(condition)) {                                                                  \
      std::fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)
