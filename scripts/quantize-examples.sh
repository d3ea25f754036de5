#!/bin/sh
# Trains the examples on the shared data for some seeds and measures what int8 costs: quantized after training with default
# flags and 300 samples of the training data (PTQ), and trained on with quantization awareness (QAT). Prints the accuracy on
# test data and the sizes, a line a model and seed, then means. Fails where a model loses more points on average than it may:
# PTQ 0.5, with depthwise convolutions 1.0; QAT 0.2, with depthwise convolutions 0.3; or where its int8 files are more than
# 27 % of those in f32.
#
#   scripts/quantize-examples.sh [MODEL…]          by default mnist-cnn cifar-cnn cifar-resnet cifar-mobilenet
#   SEEDS="0 1 2" EPOCHS=25 TUNE=4 THREADS=1 DATA=../shared/data scripts/quantize-examples.sh cifar-resnet
#
# EPOCHS: in f32, by default those of the examples' READMEs; TUNE: with quantization awareness, after them.
set -eu
cd "$(dirname "$0")/.."
data=${DATA:-../shared/data}
seeds=${SEEDS:-0 1 2}
tune=${TUNE:-4}
threads=${THREADS:-1}
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

models=${*:-mnist-cnn cifar-cnn cifar-resnet cifar-mobilenet}
for product in apus convert-model $(printf 'example-%s ' $models); do swift build -c release --product "$product" >&2; done

table=$out/table.txt
printf '%-16s %5s %7s %7s %7s %9s %9s\n' model seed f32 PTQ QAT 'f32 B' 'int8 B'
for model in $models; do
    case $model in
        mnist-*) training=$mnist_training test=$mnist_test ;;
        *) training=$cifar_training test=$cifar_test ;;
    esac
    for seed in $seeds; do
        real=$out/$model-$seed.apus int8=$out/$model-$seed.ptq.apus aware=$out/$model-$seed.int8.apus
        [ -f "$aware" ] || "$bin/example-$model" --quiet --seed "$seed" --threads "$threads" --data "$data" --export "$real" \
            ${EPOCHS:+--epochs "$EPOCHS"} --quantization-aware "$tune" >"$out/$model-$seed.txt"
        "$bin/convert-model" "$real" -o "$int8" --quantize int8 --calibrate "$training" --quiet >/dev/null
        printf '%-16s %5s %7s %7s %7s %9s %9s\n' "$model" "$seed" "$(accuracy "$real" "$test")" \
            "$(accuracy "$int8" "$test")" "$(accuracy "$aware" "$test")" "$(wc -c <"$real")" "$(wc -c <"$aware")"
    done
done | tee "$table"
awk '{ f32[$1] += $3; ptq[$1] += $4; qat[$1] += $5; share[$1] += $7 / $6; n[$1]++ }
    END { for (m in n) {
        f = f32[m] / n[m]; p = ptq[m] / n[m]; q = qat[m] / n[m]; s = share[m] / n[m]
        printf "%s: f32 %.2f, PTQ %.2f (%+.2f), QAT %.2f (%+.2f), files of %.1f %%\n", m, f, p, p - f, q, q - f, 100 * s
        light = m ~ /mobilenet/
        if (f - p > (light ? 1.0 : 0.5) || f - q > (light ? 0.3 : 0.2) || s > 0.27) bad = 1
    } exit bad }' "$table"
