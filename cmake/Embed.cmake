# SPDX-License-Identifier: MIT
# Data files compiled into a target, through the program embed.c. Sources include "embedded/NAME.h":
#   clipc_embed_bytes(TARGET NAME FILE)  clipc_embedded_NAME[] and clipc_embedded_NAME_size
#   clipc_embed_lines(TARGET NAME FILE)  clipc_embedded_NAME[] and clipc_embedded_NAME_count
#   clipc_embed_bpe(TARGET FILE)         the tables of src/text/bpe_tables.h, out of the merges
# The target must belong to the folder that calls. Cross-compiled, the programs run under
# CMAKE_CROSSCOMPILING_EMULATOR.
foreach(program embed embed_bpe)
    add_executable(clipc_${program} ${CMAKE_CURRENT_LIST_DIR}/${program}.c)
    clipc_warnings(clipc_${program})
    set_target_properties(clipc_${program} PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/generated)
endforeach()
target_include_directories(clipc_embed_bpe PRIVATE ${CMAKE_SOURCE_DIR}/src)

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

function(clipc_embed_bpe target file)
    set(source ${CMAKE_BINARY_DIR}/generated/embedded/bpe_tables.c)
    file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/generated/embedded)
    add_custom_command(OUTPUT ${source}
        COMMAND clipc_embed_bpe ${file} ${source}
        DEPENDS clipc_embed_bpe ${file}
        COMMENT "Embedding the tables of byte-pair encoding"
        VERBATIM)
    target_sources(${target} PRIVATE ${source})
endfunction()
