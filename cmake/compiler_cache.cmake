# A compiler cache where there is one that works (not with a read-only home). To choose another, or none:
# -DCMAKE_CXX_COMPILER_LAUNCHER=...
if(NOT PROJECT_IS_TOP_LEVEL OR DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
  return()
endif()
find_program(GLIA_CCACHE ccache)
if(GLIA_CCACHE)
  file(WRITE ${PROJECT_BINARY_DIR}/CMakeFiles/ccache.cpp "")
  execute_process(
    COMMAND ${GLIA_CCACHE} ${CMAKE_CXX_COMPILER} -c ccache.cpp -o ccache.o
    WORKING_DIRECTORY ${PROJECT_BINARY_DIR}/CMakeFiles RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
  if(status EQUAL 0)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${GLIA_CCACHE})
    set(CMAKE_CUDA_COMPILER_LAUNCHER ${GLIA_CCACHE})
  endif()
endif()
