# SPDX-License-Identifier: MIT
# `make install`: the header, both libraries, the command, and what makes them easy to find:
# clipc.pc (--static gives what libclipc.a needs), a CMake package whose target clipc::clipc is the
# shared library, manual pages, completion for bash and zsh. An installed tree can be moved.
include(CMakePackageConfigHelpers)

install(TARGETS clipc RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS clipc_static ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
set_target_properties(clipc_shared PROPERTIES EXPORT_NAME clipc)
install(TARGETS clipc_shared EXPORT clipc
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${CMAKE_SOURCE_DIR}/include/clipc.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

# pkg-config. Everything that the library uses is private: its header needs the C library alone.
set(requires libjpeg libpng libpcre2-8 zlib libcjson libcrypto)
set(libs "-lunistring")
if(CLIPC_WEBP)
    list(APPEND requires libwebpdemux libwebp)
endif()
if(CLIPC_GIF)
    string(APPEND libs " -lgif")
endif()
if(CLIPC_TIFF)
    list(APPEND requires libtiff-4)
endif()
if(CLIPC_CURL)
    list(APPEND requires libcurl)
endif()
list(JOIN requires ", " CLIPC_PC_REQUIRES)
set(CLIPC_PC_LIBS "${libs} -pthread -lm")
file(RELATIVE_PATH CLIPC_PC_UP "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" "${CMAKE_INSTALL_PREFIX}")
string(REGEX REPLACE "/$" "" CLIPC_PC_UP "${CLIPC_PC_UP}")
configure_file(${CMAKE_CURRENT_LIST_DIR}/clipc.pc.in ${CMAKE_BINARY_DIR}/clipc.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/clipc.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# find_package(clipc). Before 1.0 a new minor version may break what the last one promised.
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/clipc)
install(EXPORT clipc NAMESPACE clipc:: FILE clipcConfig.cmake DESTINATION ${package})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/clipcConfigVersion.cmake
    VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/clipcConfigVersion.cmake DESTINATION ${package})

install(FILES ${CMAKE_SOURCE_DIR}/man/clipc.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${CMAKE_SOURCE_DIR}/man/libclipc.3 DESTINATION ${CMAKE_INSTALL_MANDIR}/man3)
install(FILES ${CMAKE_SOURCE_DIR}/completion/clipc.bash
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME clipc)
install(FILES ${CMAKE_SOURCE_DIR}/completion/_clipc
        DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE ${CMAKE_SOURCE_DIR}/THIRD_PARTY.md
        DESTINATION ${CMAKE_INSTALL_DOCDIR})
