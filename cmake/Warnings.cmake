# SPDX-License-Identifier: MIT
# Warnings are errors; every target of ours calls this. No -march=native, no -ffast-math.
function(clipc_warnings target)
    target_compile_options(${target} PRIVATE
        $<$<COMPILE_LANGUAGE:C>:-Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes
        -Wmissing-prototypes -Wvla -Werror -fno-common -ffp-contract=off>)
    if(CLIPC_SANITIZE)
        target_compile_options(${target} PRIVATE -fsanitize=${CLIPC_SANITIZE}
            -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
        target_link_options(${target} PRIVATE -fsanitize=${CLIPC_SANITIZE})
    endif()
    if(CLIPC_FUZZ)
        # The library's code is instrumented too; only fuzz targets get libFuzzer's main.
        target_compile_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
        target_link_options(${target} PRIVATE -fsanitize=fuzzer-no-link)
    endif()
endfunction()
