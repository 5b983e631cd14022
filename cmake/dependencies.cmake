# The libraries that Glia's own are linked to, for its build and for those who find it installed: one
# that is missing stops either, by name. Global, as who links to Glia may stand above it.
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(HWY REQUIRED IMPORTED_TARGET GLOBAL libhwy)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET GLOBAL libxxhash)
if(GLIA_FORMATS)
  pkg_check_modules(IMAGE_FILES REQUIRED IMPORTED_TARGET GLOBAL libpng libjpeg libtiff-4 zlib expat)
endif()
unset(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL)
