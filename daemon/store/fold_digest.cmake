# Writes fold_digest.cc: a digest over all that the state of an engine depends on besides the journal. cmake -P, with
#   TOP       the repository; FILES is relative to it
#   FILES     a file with the names of sources, one a line
#   BUILD     what else tells two builds apart: the compiler, its flags, libraries that are compiled in
#   OUTPUT    the file to write; left alone if it would stay the same
file(STRINGS ${FILES} NAMES)
list(SORT NAMES)
set(ALL "${BUILD}\n")
foreach(NAME IN LISTS NAMES)
  file(SHA256 ${TOP}/${NAME} DIGEST)
  string(APPEND ALL "${NAME} ${DIGEST}\n")
endforeach()
string(SHA256 DIGEST "${ALL}")
set(CODE "#include \"daemon/store/fold_digest.h\"\n
namespace curvecast {\n
std::string_view FoldDigest() { return \"${DIGEST}\"; }\n
}  // namespace curvecast\n")
set(OLD "")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} OLD)
endif()
if(NOT OLD STREQUAL CODE)
  file(WRITE ${OUTPUT} "${CODE}")
else()
  file(TOUCH ${OUTPUT})
endif()
