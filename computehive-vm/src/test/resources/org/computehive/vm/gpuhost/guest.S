# A guest in a few hundred bytes, in the form of a Linux kernel (Documentation/arch/x86/boot.rst) so that QEMU loads it like
# one. It stays in real mode and uses the BIOS, which drives the NVMe disks that were passed through.
#
# As a tenant it says what the disks hold in block 8 and writes its command line there; with a command line that starts
# with "hold" it then stays, else it powers off. Built with SCRUB=1 it writes zeroes over every block of every disk,
# reads them back, and says "COMMAND LINE bytes=N".
    .code16
    .set BLOCK, 8
    .set CHUNK, 64                  # blocks per transfer
    .set BUFFER, 0x3000             # segment of the buffer
    .org 0x1f1
    .byte 4                         # sectors of this part, less one
    .org 0x1fe
    .word 0xaa55
    jmp enter
    .ascii "HdrS"
    .word 0x0202                    # protocol: the command line's address is at 0x228
    .org 0x211
    .byte 1                         # loaded high
    .org 0x228
commandline:
    .long 0
    .org 0x26a
enter:
    ljmp $0x1000, $start
start:
    mov %cs, %ax
    mov %ax, %ds
    cld
    xor %ax, %ax
    mov %ax, %gs
    mov %gs:0x475, %al              # how many disks the BIOS found
    mov %al, disks
    movb $0x80, disk
.ifdef SCRUB
    xor %ebp, %ebp                  # bytes written and read back
next:
    decb disks
    js finished
    mov $0x48, %ah
    mov $parameters, %si
    movw $0x1e, (%si)
    mov disk, %dl
    int $0x13
    jc failed
    xor %ebx, %ebx
    movb $0x43, operation
    call every
    xor %ebx, %ebx
    movb $0x42, operation
    call every
    mov parameters+16, %eax
    shl $9, %eax
    add %eax, %ebp
    incb disk
    jmp next
# Clears the buffer, or checks it, for each chunk from block ebx on.
every:
    mov parameters+16, %ecx
    sub %ebx, %ecx
    jz 9f
    cmp $CHUNK, %ecx
    jbe 1f
    mov $CHUNK, %ecx
1:  mov %cx, count
    mov %ebx, address
    push %cx
    mov $BUFFER, %ax
    mov %ax, %es
    cmpb $0x43, operation
    jne 2f
    xor %di, %di
    xor %ax, %ax
    mov $CHUNK*256, %cx
    rep stosw
2:  call transfer
    pop %cx
    cmpb $0x42, operation
    jne 3f
    push %cx
    shl $8, %cx
    xor %di, %di
    xor %ax, %ax
    repe scasw
    pop %cx
    jne failed
3:  movzwl %cx, %ecx
    add %ecx, %ebx
    jmp every
9:  ret
finished:
    call command
    mov $bytes, %si
    call say
    mov %ebp, %eax
    call hex
    mov $newline, %si
    call say
    jmp off
.else
    mov $started, %si
    call say
    mov $0x010802, %ecx
    call functions
    mov $0x040300, %ecx
    call functions
    mov $newline, %si
    call say
next:
    decb disks
    js finished
    movb $0x42, operation
    movw $1, count
    movl $BLOCK, address
    call transfer
    mov $holds, %si
    call say
    push %ds
    mov $BUFFER, %ax
    mov %ax, %ds
    movb $0, 64
    xor %si, %si
    call say
    pop %ds
    mov $newline, %si
    call say
    mov $BUFFER, %ax
    mov %ax, %es
    xor %di, %di
    mov commandline, %esi
    push %ds
    shr $4, %esi
    mov %si, %ds
    xor %si, %si
    mov $32, %cx
    rep movsw
    pop %ds
    movb $0x43, operation
    call transfer
    incb disk
    jmp next
# Says how many PCI functions of class ecx there are.
functions:
    xor %si, %si
1:  push %si
    push %ecx
    mov $0xb103, %ax
    int $0x1a
    pop %ecx
    pop %si
    jc 2f
    inc %si
    cmp $9, %si
    jb 1b
2:  mov %si, %ax
    add $'0', %al
    jmp put
finished:
    mov $wrote, %si
    call say
    mov commandline, %eax
    shr $4, %eax
    mov %ax, %es
    cmpl $0x646c6f68, %es:0         # "hold"
    jne off
stay:
    hlt
    jmp stay
.endif

# Reads or writes the packet's blocks of the disk.
transfer:
    mov operation, %ah
    xor %al, %al
    mov $packet, %si
    mov disk, %dl
    int $0x13
    jc failed
    ret
failed:
    mov $error, %si
    call say
off:
    mov $0x604, %dx                 # q35's power management: soft off
    mov $0x2000, %ax
    out %ax, %dx
    hlt
    jmp off

command:
    mov commandline, %esi
    push %ds
    shr $4, %esi
    mov %si, %ds
    xor %si, %si
    call say
    pop %ds
    ret
say:
    lodsb
    test %al, %al
    jz 1f
    call put
    jmp say
1:  ret
hex:
    mov $8, %cx
1:  rol $4, %eax
    push %eax
    and $15, %al
    add $'0', %al
    cmp $'9', %al
    jbe 2f
    add $39, %al
2:  call put
    pop %eax
    loop 1b
    ret
put:
    push %ax
    push %dx
    mov %al, %ah
    mov $0x3fd, %dx
1:  in %dx, %al
    test $0x20, %al
    jz 1b
    mov $0x3f8, %dx
    mov %ah, %al
    out %al, %dx
    pop %dx
    pop %ax
    ret

disks:      .byte 0
disk:       .byte 0
operation:  .byte 0
started:    .asciz "guest: started, disks and sound: "
holds:      .asciz "guest: a disk holds: "
wrote:      .asciz "guest: wrote\n"
bytes:      .asciz " bytes=0x"
error:      .asciz "guest: a transfer failed, or was not what it should be\n"
newline:    .asciz "\n"
    .align 4
packet:     .byte 16, 0
count:      .word 1
            .word 0, BUFFER
address:    .quad 0
parameters: .fill 32
    .org 3072
