#!/bin/sh
# Trains the examples on the shared data for some seeds, quantizes them after training with default flags and 300 samples of
# the training data, and prints the accuracy on test data and the sizes: a line a model and seed, then means. Fails where a
# model loses more than 0.5 points on average, or its files are more than 27 % of those in f32.
#
#   scripts/quantize-examples.sh [MODEL…]          by default mnist-cnn and cifar-cnn
#   SEEDS="0 1 2" DATA=../shared/data scripts/quantize-examples.sh cifar-resnet
set -eu
cd "$(dirname "$0")/.."
data=${DATA:-../shared/data}
seeds=${SEEDS:-0 1 2}
bin=.build/release
out=build/quantized
mkdir -p "$out"
[ -d "$data/mnist" ] || { echo "quantize-examples: no $data/mnist, skipped"; exit 0; }

mnist_training=idx:$data/mnist/train-images-idx3-ubyte.gz,$data/mnist/train-labels-idx1-ubyte.gz
mnist_test=idx:$data/mnist/t10k-images-idx3-ubyte.gz,$data/mnist/t10k-labels-idx1-ubyte.gz
cifar_training=cifar10:$data/cifar10/data_batch_1.bin.gz
cifar_test=cifar10:$data/cifar10/test_batch.bin.gz

accuracy() { "$bin/apus" evaluate "$1" --data "$2" --json --quiet | python3 -c 'import json, sys
print("%.2f" % (100 * json.load(sys.stdin)["values"]["accuracy"]))'; }

printf '%-14s %5s %8s %8s %7s %9s %9s\n' model seed f32 int8 lost 'f32 B' 'int8 B'
for model in ${*:-mnist-cnn cifar-cnn}; do
    case $model in
        mnist-*) training=$mnist_training test=$mnist_test ;;
        *) training=$cifar_training test=$cifar_test ;;
    esac
    for seed in $seeds; do
        real=$out/$model-$seed.apus int8=$out/$model-$seed.int8.apus
        [ -f "$real" ] || "$bin/example-$model" --quiet --seed "$seed" --data "$data" --export "$real" >"$out/$model-$seed.txt"
        "$bin/convert-model" "$real" -o "$int8" --quantize int8 --calibrate "$training" --quiet
        a=$(accuracy "$real" "$test") b=$(accuracy "$int8" "$test")
        printf '%-14s %5s %8s %8s %7s %9s %9s\n' "$model" "$seed" "$a" "$b" "$(echo "$a $b" | awk '{ printf "%.2f", $1 - $2 }')" \
            "$(wc -c <"$real")" "$(wc -c <"$int8")"
    done
done | tee "$out/table.txt"
awk 'NF == 7 && $2 + 0 == $2 { lost[$1] += $5; share[$1] += $7 / $6; n[$1]++ }
    END { for (m in n) {
        printf "%s: %.2f points lost on average, files of %.1f %%\n", m, lost[m] / n[m], 100 * share[m] / n[m]
        if (lost[m] / n[m] > 0.5 || share[m] / n[m] > 0.27) bad = 1
    } exit bad }' "$out/table.txt"
