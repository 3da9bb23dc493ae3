# For each PCI address: BUS RENDER-DEVICE GROUP-OF-IT GROUP-OF-KFD
for bus; do
  path=$(readlink -f "/dev/dri/by-path/pci-$bus-render") || continue
  [ -c "$path" ] || continue
  printf '%s %s %s %s\n' "$bus" "$path" "$(stat -c %g "$path")" "$(stat -c %g /dev/kfd)"
done
