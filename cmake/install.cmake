# The libraries' public names, glia::engine and glia::models before all, and what `cmake --install` puts
# where find_package(glia) finds it: the program, the libraries, and the headers that docs/library.md
# names.
set(libraries)
foreach(name base comm kernels_api kernels_cpu kernels_onednn kernels_cuda kernels_cudnn emu emu_host
    kernels_emu engine models)
  if(TARGET glia_${name})
    add_library(glia::${name} ALIAS glia_${name})
    set_target_properties(glia_${name} PROPERTIES EXPORT_NAME ${name})
    list(APPEND libraries glia_${name})
  endif()
endforeach()
if(NOT PROJECT_IS_TOP_LEVEL)
  return()
endif()

include(CMakePackageConfigHelpers)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/glia)
install(TARGETS ${libraries} EXPORT glia)
install(EXPORT glia FILE gliaTargets.cmake NAMESPACE glia:: DESTINATION ${package})
if(TARGET glia_kernels_cuda)
  set(GLIA_HAS_CUDA ON)
else()
  set(GLIA_HAS_CUDA OFF)
endif()
configure_file(cmake/gliaConfig.cmake.in gliaConfig.cmake @ONLY)
# Until 1.0 a new minor version may change anything.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/gliaConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/gliaConfig.cmake ${PROJECT_BINARY_DIR}/gliaConfigVersion.cmake
  cmake/dependencies.cmake DESTINATION ${package})
if(TARGET glia)
  install(TARGETS glia)
endif()

# Each row of the page's table begins with the headers it is about.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS docs/library.md)
file(STRINGS docs/library.md rows REGEX "^\\| `[^|]*\\.h`")
foreach(row ${rows})
  string(REGEX MATCH "^\\|[^|]*" cell "${row}")
  string(REGEX MATCHALL "[a-z0-9_/*]+\\.h" patterns "${cell}")
  foreach(pattern ${patterns})
    file(GLOB headers RELATIVE ${PROJECT_SOURCE_DIR} CONFIGURE_DEPENDS ${pattern})
    if(NOT headers)
      message(FATAL_ERROR "docs/library.md names ${pattern}, but there is no such header")
    endif()
    foreach(header ${headers})
      get_filename_component(folder ${header} DIRECTORY)
      install(FILES ${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/glia/${folder})
    endforeach()
  endforeach()
endforeach()
