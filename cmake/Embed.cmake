# SPDX-License-Identifier: MIT
# Data files compiled into a target, through the program embed.c. Sources include "embedded/NAME.h":
#   clipc_embed_bytes(TARGET NAME FILE)  clipc_embedded_NAME[] and clipc_embedded_NAME_size
#   clipc_embed_lines(TARGET NAME FILE)  clipc_embedded_NAME[] and clipc_embedded_NAME_count
# The target must belong to the folder that calls. A cross-compiled embed runs under
# CMAKE_CROSSCOMPILING_EMULATOR.
add_executable(clipc_embed ${CMAKE_CURRENT_LIST_DIR}/embed.c)
clipc_warnings(clipc_embed)
set_target_properties(clipc_embed PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/generated)

function(clipc_embed kind target name file)
    set(stem ${CMAKE_BINARY_DIR}/generated/embedded/${name})
    file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/generated/embedded)
    add_custom_command(OUTPUT ${stem}.c ${stem}.h
        COMMAND clipc_embed ${kind} ${name} ${file} ${stem}.c ${stem}.h
        DEPENDS clipc_embed ${file}
        COMMENT "Embedding ${name}"
        VERBATIM)
    target_sources(${target} PRIVATE ${stem}.c ${stem}.h)
    target_include_directories(${target} PRIVATE ${CMAKE_BINARY_DIR}/generated)
endfunction()

function(clipc_embed_bytes target name file)
    clipc_embed(bytes ${target} ${name} ${file})
endfunction()

function(clipc_embed_lines target name file)
    clipc_embed(lines ${target} ${name} ${file})
endfunction()
